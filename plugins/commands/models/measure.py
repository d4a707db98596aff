"""Build a network from names, and measure its cost and latency."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, cast

import torch
from attrs import asdict, frozen

from fas_core.component import Component
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Backbone, Fusion
from fas_core.errors import FasError
from fas_core.models.build import build_model
from fas_core.models.model import Model, torch_threads
from fas_core.registry import Registry
from fas_plugins.commands.models.cost import Cost, measure

MODALITIES = ("rgb", "depth", "ir")
"""Modalities of the fusions in the list."""

FUSED_BACKBONE, FUSED_SIZE = "fas-core:feathernet_b", 224
ROW = ("params", "cost", "macs", "activation_bytes", "input_size", "features", "takes")
"""What is measured of a component."""

MIN_RUNS = 5
"""Runs that are timed even where they take longer than the time limit; quartiles need as many."""


@frozen
class Latency:
    """Seconds for one sample: median and quartiles of `runs` runs, with `threads` threads of torch."""

    median: float
    low: float
    high: float
    runs: int
    threads: int


@frozen
class NetworkSpec:
    """A network as the command line names it.

    Args:
        backbone: name of the backbone, one branch for each modality.
        modalities: e.g. `("rgb", "ir")`.
        fusion: name of the fusion.
        input_size: side of the input in pixels.
        num_classes: number of classes of a classifier.
    """

    backbone: str
    modalities: tuple[str, ...]
    fusion: str
    input_size: int
    num_classes: int = 2

    @classmethod
    def of(
        cls,
        registry: Registry,
        backbone: str,
        modalities: tuple[str, ...],
        fusion: str | None,
        input_size: int | None,
        num_classes: int,
    ) -> NetworkSpec:
        """Fill in the default fusion and the backbone's published input size.

        Raises:
            FasError: there is no such backbone, or it is the name of a fusion.
        """
        _refuse_fusion(backbone, registry)
        return cls(
            backbone,
            modalities,
            fusion or ("single" if len(modalities) == 1 else "concat_linear"),
            input_size or registry.find(Backbone, backbone).input_size,
            num_classes,
        )

    def build(self, registry: Registry, device: str = "cpu") -> Model:
        """Return the model with random weights; on the device `meta` it has shapes only."""
        options = {"backbone": self.backbone, "fusion": self.fusion, "input_size": self.input_size}
        recipe = structure(
            {"modalities": list(self.modalities), "model": options}, Recipe, registry, "fas models"
        )
        with torch.device(device):
            return build_model(recipe, registry, self.num_classes)


def measure_component(item: Component, registry: Registry, num_classes: int) -> dict[str, Any]:
    """Return the row of a backbone or fusion; of one that fails its name and the error, and None else."""
    row = {"kind": item.kind, "name": registry.name_of(item), "source": item.source, "error": None}
    try:
        with item.naming_failures():
            measure_one: Callable[..., dict[str, Any]] = (
                _measure_fusion if isinstance(item, Fusion) else _measure_backbone
            )
            return measure_one(item, registry, num_classes) | row
    except FasError as error:
        message = error.message if str(item) in error.message else f"{item}: {error.message}"
        return dict.fromkeys(ROW) | row | {"error": message}


def _measure_backbone(item: Backbone, registry: Registry, num_classes: int) -> dict[str, Any]:
    """Measure a backbone on one modality, at its published input size."""
    spec = NetworkSpec(item.qualified_name, ("rgb",), "fas-core:single", item.input_size, num_classes)
    model = spec.build(registry, "meta")
    (backbone,) = model.backbones.values()
    side = -(-item.input_size // cast(int, backbone.reduction))
    return {
        **_measure_row(model),
        "features": [backbone.num_features, side, side],
        "takes": None,
    }


def _measure_fusion(item: Fusion, registry: Registry, num_classes: int) -> dict[str, Any]:
    """Measure a fusion of three branches; `single` has one."""
    modalities = MODALITIES if item.name != "single" else MODALITIES[:1]
    spec = NetworkSpec(FUSED_BACKBONE, modalities, item.qualified_name, FUSED_SIZE, num_classes)
    return {**_measure_row(spec.build(registry, "meta")), "features": None, "takes": item.takes}


def measure_cost(model: Model) -> Cost:
    """Count parameters, operations and memory of a model on the device `meta`, without computing."""
    return measure(model, _zero_images(model, "meta"))


def measure_latency(model: Model, threads: int, runs: int) -> Latency:
    """Time the model on one sample, on the CPU.

    Raises:
        FasError: quartiles need more runs.
    """
    if runs < MIN_RUNS:
        raise FasError(f"--runs {runs}: quartiles take {MIN_RUNS} runs or more; 0 times nothing")
    images = _zero_images(model.eval(), "cpu")
    return latency(lambda: model(images), threads=threads, runs=runs)


def latency(call: Callable[[], object], *, threads: int, runs: int = 20, seconds: float = 5.0) -> Latency:
    """Time `call` in inference mode, after two calls to warm up; stop after `seconds` and at least 5 runs."""
    with torch_threads(threads), torch.inference_mode():
        call()
        call()
        durations: list[float] = []
        while len(durations) < runs and (len(durations) < MIN_RUNS or sum(durations) < seconds):
            start = time.perf_counter()
            call()
            durations.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(durations, n=4)
    return Latency(median, low, high, len(durations), threads)


def network_document(spec: NetworkSpec, cost: Cost, timing: Latency | None) -> dict[str, Any]:
    """The document of `fas models show --json`."""
    return {
        "name": spec.backbone,
        "modalities": list(spec.modalities),
        "fusion": spec.fusion,
        "input_size": spec.input_size,
        **_cost_document(cost),
        "largest_layer_bytes": cost.largest,
        "latency_seconds": None if timing is None else asdict(timing),
        "blocks": [asdict(block) for block in cost.blocks],
    }


def _measure_row(model: Model) -> dict[str, Any]:
    return {**_cost_document(measure_cost(model)), "input_size": model.face_size}


def _cost_document(cost: Cost) -> dict[str, Any]:
    return {
        "params": cost.params,
        "cost": cost.published,
        "macs": cost.macs,
        "activation_bytes": cost.activations,
    }


def _zero_images(model: Model, device: str) -> dict[str, torch.Tensor]:
    shape = (1, model.face_size, model.face_size, 3)
    return {modality: torch.zeros(shape, dtype=torch.uint8, device=device) for modality in model.modalities}


def _refuse_fusion(name: str, registry: Registry) -> None:
    """Refuse the name of a fusion where a backbone is needed, unless both have that name."""
    fusions, backbones = registry.names(Fusion), registry.names(Backbone)
    if name in fusions - backbones:
        raise FasError(
            f"{name} is a fusion: name the backbone that it joins, e.g. "
            f"fas models show feathernet_b --modalities {','.join(MODALITIES)} --fusion {name}"
        )
