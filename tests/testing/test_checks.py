"""The contract checks accept components that keep their contract and name what others break."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import pytest
import torch

from fas_core import testing
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import Exported, Verification, Verify
from fas_core.descriptors import KINDS, Exporter
from fas_core.errors import ModelError
from fas_core.models.build import build_model
from fas_core.models.model import scorer
from fas_core.records.outputs import Batch, Outputs
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.testing import ContractError

Provide = Callable[..., str]


def names(kind: str) -> list[str]:
    return [component.name for component in registry().all(KINDS[kind])]


@pytest.mark.parametrize("name", [name for name in names("loss") if name != "am_softmax"])
def test_every_installed_loss_passes(name: str) -> None:
    testing.check_loss(name)


def test_a_loss_over_cosines_passes_with_a_model_that_has_them() -> None:
    tree = {"model": {"fusion": {"name": "concat_linear", "classifier": "cosine"}, "input_size": 64}}
    recipe = structure(tree, Recipe, registry(), "recipe")
    testing.check_loss("am_softmax", model=build_model(recipe, registry()))


@pytest.mark.parametrize("name", names("metric"))
def test_every_installed_metric_passes(name: str) -> None:
    testing.check_metric(name)


@pytest.mark.parametrize("name", [item.name for item in registry().all(Exporter) if not item.fetches])
def test_every_installed_exporter_passes(name: str, tmp_path: Path) -> None:
    if name in ("openvino", "executorch") and find_spec(name) is None:
        pytest.skip(f"the extra {name} is not installed")
    testing.check_exporter(name, tmp_path)


def test_a_data_set_passes(tmp_path: Path) -> None:
    for place in ("train/live", "train/attack/print", "test/live", "test/attack/replay"):
        (tmp_path / place).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / place / "1.png"), np.zeros((8, 8, 3), np.uint8))
    testing.check_dataset("folder", tmp_path)


def a_loss(forward: Callable[[Outputs, Batch], torch.Tensor]) -> Callable[..., Any]:
    return lambda options, model: forward


def logits(outputs: Outputs) -> torch.Tensor:
    assert outputs.logits is not None
    return outputs.logits


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda outputs, batch: logits(outputs)[:, 1] * batch.label, "must be a scalar"),
        (lambda outputs, batch: -(logits(outputs).softmax(1)[:, 1] * batch.label).log().mean(), "inf"),
        (lambda outputs, batch: logits(outputs).square().mean(), "the same for any labels"),
        (
            lambda outputs, batch: (
                (batch.label - logits(outputs).detach()[:, 1]).square().mean()
                * torch.ones((), requires_grad=True)
            ),
            "no gradient",
        ),
    ],
)
def test_a_broken_loss_is_refused(
    provide: Provide, forward: Callable[[Outputs, Batch], torch.Tensor], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        testing.check_loss(provide("loss", a_loss(forward)))


def cross_entropy(outputs: Outputs, batch: Batch, **options: Any) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits(outputs), batch.label, **options)


def test_a_plain_function_passes(provide: Provide) -> None:
    testing.check_loss(provide("loss", a_loss(cross_entropy)))


def declare(forward: Callable[[Outputs, Batch], torch.Tensor], **attributes: Any) -> Callable[..., Any]:
    def loss(outputs: Outputs, batch: Batch) -> torch.Tensor:
        return forward(outputs, batch)

    vars(loss).update(attributes)
    return a_loss(loss)


def distance(outputs: Outputs, batch: Batch) -> torch.Tensor:
    return (outputs.embedding.mean(dim=1) - batch.label).square().mean()  # type: ignore[union-attr]


def depth_error(outputs: Outputs, batch: Batch) -> torch.Tensor:
    target = batch.images["depth"].float().mean(dim=(1, 2, 3)) / 255 * batch.label
    return (outputs.map.mean(dim=(1, 2)) - target).square().mean()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda options, model: None, "target gave None, which is not callable"),
        (lambda options: cross_entropy, r"target\(options, model=model\) raised TypeError"),
        (declare(cross_entropy, needs=("logit",)), "needs 'logit', which is no output"),
        (
            declare(cross_entropy, needs=("map",)),
            r"the loss, given map \(its `needs`\) .* raised AssertionError",
        ),
        (declare(distance), r"the loss, given logits \(its `needs`\) and the score, raised AttributeError"),
        (declare(depth_error, needs=("map",)), "raised KeyError: 'depth'"),
        (a_loss(lambda outputs, batch: 0.5), "gave a float, no tensor"),  # type: ignore[arg-type, return-value]
        (a_loss(lambda outputs, batch: cross_entropy(outputs, batch, reduction="sum")), "must be a mean"),
        (
            a_loss(lambda outputs, batch: (logits(outputs) @ torch.ones(2) - batch.label).square().mean()),
            "raised RuntimeError",
        ),
    ],
)
def test_a_loss_that_breaks_its_contract_is_refused(
    provide: Provide, target: Callable[..., Any], message: str
) -> None:
    with pytest.raises(AssertionError, match=f"^broken: .*{message}"):
        testing.check_loss(provide("loss", target))


def spread(outputs: Outputs, batch: Batch) -> torch.Tensor:
    """Cross entropy, and the unbiased variance of the embeddings, a mean over pairs of samples."""
    embedding = outputs.embedding
    assert embedding is not None
    return cross_entropy(outputs, batch) + embedding.var()


def distance_to_the_first(outputs: Outputs, batch: Batch) -> torch.Tensor:
    embedding = outputs.embedding
    assert embedding is not None
    return cross_entropy(outputs, batch) + (embedding - embedding[0]).square().mean()


def test_a_loss_that_compares_samples_need_not_be_the_same_of_a_batch_twice(provide: Provide) -> None:
    needs = ("logits", "embedding")
    with pytest.raises(AssertionError, match=r"^broken: .* must be a mean \(or say `pairwise = True`"):
        testing.check_loss(provide("loss", declare(spread, needs=needs)))
    testing.check_loss(provide("loss", declare(spread, needs=needs, pairwise=True)))
    ordered = declare(distance_to_the_first, needs=needs, pairwise=True)
    with pytest.raises(AssertionError, match=r"^broken: the order of samples counts"):
        testing.check_loss(provide("loss", ordered))


def test_a_loss_passes_that_declares_what_it_uses(provide: Provide) -> None:
    testing.check_loss(provide("loss", declare(distance, needs=("embedding",))))
    testing.check_loss(provide("loss", declare(depth_error, needs=("map",), reads=("depth",))))


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda scores: {}, "no figures"),
        (lambda scores: {"gap": 1}, "no float"),
        (lambda scores: {"gap": float("nan")}, "NaN though"),
        (lambda scores: {"first": float(scores.scores[0])}, "order of samples"),
        (lambda scores: {"gap": 0.5} if len(scores.live) else {}, "give NaN"),
        (lambda scores: [0.5], "gave a list, not values by name"),
        # The first metric of docs/extend/tutorial.md.
        (
            lambda scores: {"gap": float(scores.live.mean() - scores.attack.mean())},
            "^broken: without live samples: it warned: Mean of empty slice",
        ),
        (
            lambda scores: {"gap": sum(scores.live) / len(scores.live)},
            "^broken: without live samples: it raised ZeroDivisionError",
        ),
        (
            lambda scores: {"gap": float(scores.attack.min()) if len(scores.live) else math.nan},
            "^broken: without attacks: it raised ValueError",
        ),
        (
            lambda scores: {"gap": 1 / float(np.ptp(scores.scores)) if len(scores) else math.nan},
            "^broken: for equal scores: it raised ZeroDivisionError",
        ),
        (
            lambda scores: {"inverse": 0.5 if len(scores.attack) else math.inf},
            "^broken: inverse is inf without attacks: give NaN where it is undefined",
        ),
        (
            lambda scores: {"species": float(max(map(len, scores.table.column("species").to_pylist())))},
            "^broken: without samples: it raised ValueError",
        ),
        (
            lambda scores: {"gap": scores.margin},
            "^broken: for both classes: it raised AttributeError: .*margin",
        ),
    ],
)
def test_a_broken_metric_is_refused(
    provide: Provide, metric: Callable[[ScoreTable], dict[str, float]], message: str
) -> None:
    name = provide("metric", lambda options, scores, threshold: metric(scores))
    with pytest.raises(AssertionError, match=message):
        testing.check_metric(name)


def test_a_metric_that_needs_a_threshold_is_refused(provide: Provide) -> None:
    name = provide("metric", lambda options, scores, threshold: {"above": float(threshold > 0)})
    with pytest.raises(AssertionError, match="and without a threshold: it raised TypeError"):
        testing.check_metric(name)


def test_an_exporter_that_leaves_other_files_is_refused(provide: Provide, tmp_path: Path) -> None:
    def export(options: object, model: Any, destination: Path, verify: Verify, **given: Any) -> Exported:
        destination.write_bytes(b"")
        destination.with_suffix(".tmp").write_bytes(b"")
        return Exported(destination, verify(scorer(model), tolerance=None, acer_loss=0.0))

    with pytest.raises(AssertionError, match="not just"):
        testing.check_exporter(provide("exporter", export, suffix=".bin"), tmp_path)


def test_an_exporter_without_verification_is_refused(provide: Provide, tmp_path: Path) -> None:
    def export(options: object, destination: Path, **given: Any) -> Exported:
        destination.write_bytes(b"")
        return Exported(destination, Verification(4, "dev", 0.0, 0.0))

    with pytest.raises(AssertionError, match="did not have what it wrote verified"):
        testing.check_exporter(provide("exporter", export, suffix=".bin"), tmp_path)


def test_an_exported_file_whose_samples_influence_each_other_is_refused(
    provide: Provide, tmp_path: Path
) -> None:
    def export(options: object, model: Any, destination: Path, verify: Verify, **settings: Any) -> Exported:
        destination.write_bytes(b"")
        exact = scorer(model)

        def score(images: Any, presence: Any = None) -> Any:
            scores = exact(images)
            return scores + 1e-2 * (np.roll(scores, 1) - scores)

        return Exported(destination, verify(score, tolerance=None, acer_loss=0.0))

    with pytest.raises(AssertionError, match=r"the score of sample . changes by .* others of its batch"):
        testing.check_exporter(provide("exporter", export, suffix=".bin"), tmp_path)


def test_a_failing_export_is_named(provide: Provide, tmp_path: Path) -> None:
    name = provide("exporter", lambda options, model: None, suffix=".bin")
    with pytest.raises(AssertionError, match=r"^broken: the export raised TypeError: .*unexpected keyword"):
        testing.check_exporter(name, tmp_path)
    name = provide("exporter", lambda options, **settings: None, suffix=".bin")
    (tmp_path / "other").mkdir()
    with pytest.raises(AssertionError, match=r"^broken: gave a NoneType, no Exported"):
        testing.check_exporter(name, tmp_path / "other")


def test_a_data_set_whose_files_are_missing_is_refused(provide: Provide, tmp_path: Path) -> None:
    from fas_core.records.samples import SampleTable

    class Reader:
        overlaps: tuple[tuple[str, str], ...] = ()
        notes: tuple[str, ...] = ()

        def __init__(self, options: object, root: Path) -> None:
            self.root = root

        def prepare(self) -> None: ...

        def splits(self) -> tuple[str, ...]:
            return ("test",)

        def samples(self, split: str) -> SampleTable:
            columns = {"id": ["1"], "split": [split], "label": [1], "rgb": ["1.png"]}
            return SampleTable.of(columns, modalities=("rgb",), root=self.root)

    with pytest.raises(AssertionError, match=r"no such file: 1\.png"):
        testing.check_dataset(provide("dataset", Reader), tmp_path)


def test_a_data_set_without_a_method_or_with_unknown_overlaps_is_refused(
    provide: Provide, tmp_path: Path
) -> None:
    class NoNotes:
        overlaps = (("train", "val"),)

        def __init__(self, options: object, root: Path) -> None: ...

        def prepare(self) -> None: ...

        def splits(self) -> tuple[str, ...]:
            return ("train", "dev")

        def samples(self, split: str) -> None:
            raise KeyError(split)

    class UnknownOverlap(NoNotes):
        notes = ()

    class Failing(UnknownOverlap):
        overlaps = ()  # type: ignore[assignment]

    for reader, message in (
        (NoNotes, "NoNotes has no `notes`"),
        (UnknownOverlap, r"overlaps: \('train', 'val'\) is no pair of its splits"),
        (Failing, r"samples\('train'\) raised KeyError: 'train'"),
    ):
        with pytest.raises(AssertionError, match=f"^broken: {message}"):
            testing.check_dataset(provide("dataset", reader), tmp_path)


def exporting(leave: bool = False, ignore: bool = False, change: bool = False) -> Callable[..., Exported]:
    """An exporter of an empty file, with a fault."""

    def export(options: object, model: Any, destination: Path, verify: Verify, **settings: Any) -> Exported:
        exact = scorer(model)
        destination.write_bytes(b"")
        try:
            verification = verify(exact, tolerance=None, acer_loss=0.0)
        except ModelError:
            if not leave:
                destination.unlink()
            if not ignore:
                raise
            verification = Verification(4, "dev", 0.0, 0.0)
        if change:
            with torch.no_grad():
                next(model.parameters()).mul_(2)
        return Exported(destination, verification)

    return export


def test_an_exporter_that_takes_a_refusal_seriously_passes(provide: Provide, tmp_path: Path) -> None:
    testing.check_exporter(provide("exporter", exporting(), suffix=".bin"), tmp_path)


@pytest.mark.parametrize(
    ("fault", "rule", "message"),
    [
        ("leave", "verified", "leaves model.bin, which verify refused"),
        ("ignore", "verified", "ignores that verify refuses what it wrote"),
        ("change", "model", "changes .* of the model"),
    ],
)
def test_an_exporter_that_breaks_a_promise_is_refused(
    provide: Provide, tmp_path: Path, fault: str, rule: str, message: str
) -> None:
    name = provide("exporter", exporting(**{fault: True}), suffix=".bin")
    with pytest.raises(ContractError, match=message) as caught:
        testing.check_exporter(name, tmp_path)
    assert caught.value.rule == rule


def test_a_loss_that_needs_both_classes_is_refused(provide: Provide) -> None:
    def distance_of_means(outputs: Outputs, batch: Batch) -> torch.Tensor:
        values = logits(outputs)[:, 1] - logits(outputs)[:, 0]
        return (1 - values[batch.label == 1].mean() + values[batch.label == 0].mean()).square()

    with pytest.raises(ContractError, match="nan for a batch of live samples alone") as caught:
        testing.check_loss(provide("loss", a_loss(distance_of_means)))
    assert caught.value.rule == "one class"


class Secret:
    """A type that no recipe can hold."""


@attrs.frozen
class OddOptions:
    secret: Any = attrs.field(factory=Secret)


@attrs.frozen
class SwappingOptions:
    low: float = attrs.field(default=1.0, converter=lambda value: value * 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (OddOptions, "into a recipe and reading it raised"),
        (SwappingOptions, r"low=4\.0.* after a recipe was"),
    ],
)
def test_options_that_a_recipe_cannot_hold_are_refused(
    provide: Provide, options: type[Any], message: str
) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        testing.check_loss(provide("loss", a_loss(cross_entropy), options=options))
    assert caught.value.rule == "options"
