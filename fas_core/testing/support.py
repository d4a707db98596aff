"""What contract checks share: finding a component, failures in plain words, and small inputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from fas_core.component import Component
from fas_core.config.structure import build_converter
from fas_core.contracts import Images, Scorer, Verification, Verify
from fas_core.descriptors import Fusion
from fas_core.errors import ModelError
from fas_core.records.outputs import Batch, Outputs
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.testing.rules import rule

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fas_core.models.model import Model

C = TypeVar("C", bound=Component)

BATCH, SIDE, SEED = 4, 32, 14
CLASSES = (2, 5)
"""Numbers of columns of logits; FeatherNet, for example, has more columns than classes."""

Channels = tuple[float, float, float]
HALF = (0.5, 0.5, 0.5)


def load_component(kind: type[C], component: str | C, options: Any) -> tuple[C, Any, Any]:
    """Return an installed component by its name, or a descriptor; its target; and the options for a call."""
    descriptor = registry().find(kind, component) if isinstance(component, str) else component
    with rule("loads"), explain(descriptor.name, f"loading {descriptor.target}"):
        target, options = descriptor.load(), descriptor.options() if options is None else options
    _check_options(descriptor.name, options)
    return descriptor, target, options


@rule("options")
def _check_options(name: str, options: Any) -> None:
    """Check that options are the same after a recipe was written and read."""
    converter = build_converter(registry())
    with explain(name, f"writing {options!r} into a recipe and reading it"):
        text = yaml.safe_dump(_to_lists(converter.unstructure(options)))
        again = converter.structure(yaml.safe_load(text), type(options))
    assert again == options, f"{name}: {options!r} is {again!r} after a recipe was written and read"


def _to_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_lists(item) for key, item in value.items()}
    return [_to_lists(item) for item in value] if isinstance(value, list | tuple) else value


@contextmanager
def explain(name: str, step: str, *, strict: bool = False) -> Iterator[None]:
    """Turn what a component raises into an AssertionError that names the component and the step.

    With `strict`, also what it warns about.
    """
    with warnings.catch_warnings():
        if strict:
            warnings.simplefilter("error")
        try:
            yield
        except AssertionError as error:
            raise error if str(error).startswith(f"{name}: ") else _describe(name, step, error) from error
        except Exception as error:
            raise _describe(name, step, error) from error


def _describe(name: str, step: str, error: Exception) -> AssertionError:
    verb = "warned" if isinstance(error, Warning) else f"raised {type(error).__name__}"
    return AssertionError(f"{name}: {step} {verb}: {' '.join(str(error).split())}")


@rule("attributes")
def check_attributes(name: str, component: object, **attributes: str) -> None:
    """Check that attributes exist, `{name: description}`; one whose description ends in `()` is callable."""
    for attribute, description in attributes.items():
        exists = hasattr(component, attribute)
        assert exists, f"{name}: {type(component).__name__} has no `{attribute}` ({description})"
        usable = not description.endswith("()") or callable(getattr(component, attribute))
        assert usable, f"{name}: `{attribute}` is not callable ({description})"


@rule("shapes")
def check_tensor(name: str, method: str, tensor: object, shape: tuple[int, ...]) -> None:
    """Check type, shape and that all values are finite."""
    import torch

    assert isinstance(tensor, torch.Tensor), f"{name}: {method} gave a {type(tensor).__name__}, no tensor"
    assert tensor.shape == shape, f"{name}: {method} gave {tuple(tensor.shape)}, promised {shape}"
    assert tensor.isfinite().all(), f"{name}: {method} gave values that are not finite"


def score_table(live: int = 40, attacks: int = 60) -> ScoreTable:
    """Return overlapping scores of live samples and of attacks of two PAI species."""
    rng = np.random.default_rng(SEED)
    scores = np.concatenate([rng.normal(0.7, 0.2, live), rng.normal(0.4, 0.2, attacks)])
    species = ["live"] * live + ["print", "replay"] * (attacks // 2) + ["print"] * (attacks % 2)
    ids, labels = list(map(str, range(live + attacks))), [1] * live + [0] * attacks
    return ScoreTable.of({"id": ids, "score": scores, "label": labels, "species": species})


def tiny_model(
    modalities: tuple[str, ...] = ("rgb",),
    *,
    backbone: Callable[[], nn.Module] | None = None,
    fusion: str | Fusion | None = None,
    face_size: int = SIDE,
    grid: int | None = None,
    partial: bool = False,
    normalize: tuple[Channels, Channels] = (HALF, HALF),
) -> Model:
    """Return a small model with seeded weights, in eval mode.

    Args:
        backbone: builds the network of a modality, a `fas_core.contracts.BackboneModule`; None for one
            convolution and the mean of its map.
        fusion: an installed one by its name, or a descriptor, with its default options; None for a linear
            classifier of the embeddings.
        face_size: side of a face image in pixels.
        grid: its networks score `grid` x `grid` patches of half the side; None for the whole face.
        partial: whether it takes faces that lack some modalities.
        normalize: mean and standard deviation of red, green and blue, for pixels in [0, 1].

    Raises:
        ConfigError: the fusion takes inputs, for which there would be one network.
    """
    from fas_core.testing.tiny import build_tiny_model

    return build_tiny_model(modalities, face_size, backbone, fusion, grid, partial, normalize)


def score_images(
    model: Model, images: Images, presence: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the model's score of each face, (B,), as `fas eval` computes it, in eval mode.

    Args:
        images: `{modality: uint8 (B, H, W, 3)}`, RGB, at the model's face size.
        presence: (B, modalities) bool, False where a face lacks a modality; None: none does.
    """
    from fas_core.models.model import scorer

    return scorer(model)(images, presence)


def random_images(modalities: tuple[str, ...]) -> Images:
    """Return noise for the tiny model, `{modality: uint8 (4, 32, 32, 3)}`."""
    rng = np.random.default_rng(SEED)
    return {name: rng.integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8) for name in modalities}


def verify_on(model: Model, images: Images, results: list[Verification] | None = None) -> Verify:
    """Return a `verify` for an exporter of this model: it compares scores of these images, without a run.

    Every verification is appended to `results`.
    """
    expected = score_images(deepcopy(model), {name: np.array(pixels) for name, pixels in images.items()})

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        del acer_loss  # the images have no labels
        difference = np.abs(scorer(images) - expected)
        result = Verification(len(difference), "dev", float(difference.max()), float(difference.mean()))
        if tolerance is not None and not result.max_difference <= tolerance:
            raise ModelError(f"scores differ by {result.max_difference:.2g}")
        if results is not None:
            results.append(result)
        return result

    return verify


def outputs_of(logits: Tensor) -> Outputs:
    """Return outputs of every kind, all computed from the logits (B, K)."""
    maps = logits[:, 1, None, None].expand(-1, 4, 4)
    features = {"rgb": logits[:, :, None, None].expand(-1, -1, 4, 4)}
    score, embedding = logits.softmax(dim=1)[:, 1], logits.repeat(1, 2)
    return Outputs(score=score, logits=logits, map=maps, embedding=embedding, features=features)


def batch_of(label: Tensor) -> Batch:
    """Return a batch of three modalities with these labels (B,)."""
    import torch

    count = len(label)
    pixels = torch.arange(count * SIDE * SIDE * 3).reshape(count, SIDE, SIDE, 3) * 37 % 251
    images = dict.fromkeys(("rgb", "depth", "ir"), pixels.to(torch.uint8))
    return Batch(images=images, label=label, index=torch.arange(count))
