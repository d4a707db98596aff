"""The contract check of exporters: see `fas_core.testing.checks`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fas_core.card import Card
from fas_core.contracts import Images, Scorer, Verification
from fas_core.descriptors import Exporter
from fas_core.errors import ModelError
from fas_core.records.model_input import ModelInput
from fas_core.records.outputs import Exported
from fas_core.scores.thresholds import Threshold
from fas_core.testing.rules import rule
from fas_core.testing.support import (
    BATCH,
    SIDE,
    explain,
    load_component,
    random_images,
    tiny_model,
    verify_on,
)

if TYPE_CHECKING:
    from torch import Tensor

    from fas_core.models.model import Model


@rule("call")
def check_exporter(component: str | Exporter, folder: Path, options: Any = None) -> None:
    """Check that it writes what its descriptor names into `folder`, nothing else, and has it verified."""
    descriptor, target, options = load_component(Exporter, component, options)
    name, modalities = descriptor.name, ("rgb", "depth")
    destination, before = folder / f"model{descriptor.suffix}", set(folder.iterdir())
    beside = tuple(destination.with_suffix(suffix) for suffix in descriptor.beside)
    model, images = tiny_model(modalities), random_images(modalities)
    card = Card(ModelInput(modalities, SIDE), Threshold(0.5, "fixed:0.5", "given"))
    results: list[Verification] = []
    compare = verify_on(model, images, results)

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        _check_scorer(name, scorer, images)
        return compare(scorer, tolerance=tolerance, acer_loss=acer_loss)

    weights = {key: value.clone() for key, value in model.state_dict().items()}
    with explain(name, "the export"):
        exported = target(
            options, model=model, samples=images, destination=destination, card=card, verify=verify
        )
    _check_model(name, model, weights)
    assert isinstance(exported, Exported), f"{name}: gave a {type(exported).__name__}, no Exported"
    written = set(folder.iterdir()) - before
    with rule("written files"):
        names = sorted(map(str, written))
        assert written == {destination, *beside}, f"{name}: wrote {names}, not just {destination}"
        if descriptor.suffix:
            assert exported.path == destination, f"{name}: says it wrote {exported.path}, not {destination}"
            assert exported.beside == beside, f"{name}: says it wrote {exported.beside} beside it"
        else:
            outside = [path for path in (exported.path, *exported.beside) if destination not in path.parents]
            assert not outside, f"{name}: says it wrote {outside[0]}, which is not in {destination}"
    with rule("verified"):
        assert results, f"{name}: did not have what it wrote verified"
        assert exported.verification is results[-1], f"{name}: gives another verification than it was given"
        difference = exported.verification.max_difference
        assert difference <= 1e-3, f"{name}: scores differ from the model's by {difference:g}"
    with TemporaryDirectory() as empty:
        export = partial(target, options, model=model, samples=images, card=card)
        _check_refused(name, export, Path(empty), destination.name)


@rule("verified")
def _check_refused(name: str, export: Callable[..., Exported], folder: Path, file: str) -> None:
    """Check that nothing is left of a file that is refused, and that the refusal gets through."""

    def refuse(*_: Scorer, **__: float | None) -> Verification:
        raise ModelError("the scores differ")

    refused = False
    try:
        export(destination=folder / file, verify=refuse)
    except ModelError:
        refused = True
    assert refused, f"{name}: ignores that verify refuses what it wrote"
    left = [path.name for path in sorted(folder.iterdir())]
    assert not left, f"{name}: leaves {left[0]}, which verify refused"


@rule("model")
def _check_model(name: str, model: Model, weights: dict[str, Tensor]) -> None:
    """Check that the export left the model as it was."""
    import torch

    after = model.state_dict()
    changed = [key for key, value in weights.items() if not torch.equal(value, after[key])]
    assert not changed, f"{name}: changes {changed[0]} of the model"
    assert not model.training, f"{name}: leaves the model in training mode"


@rule("independent samples")
def _check_scorer(name: str, scorer: Scorer, images: Images) -> None:
    """Check that what was exported scores a sample alike whatever the others of its batch are."""
    scores = scorer(images)
    spread = float(np.ptp(scores))
    for row in range(BATCH):
        others = {key: 255 - pixels for key, pixels in images.items()}
        for key, pixels in images.items():
            others[key][row] = pixels[row]
        change = abs(float(scorer(others)[row] - scores[row]))
        message = f"{name}: the score of sample {row} changes by {change:.2g} with the others of its batch"
        assert change <= 1e-3 * spread, f"{message}, where scores differ by {spread:.2g}"
