"""Contract checks for plugin authors: one call in a plugin's tests finds what a component gets wrong.

    from fas_core.testing import check_loss

    def test_hinge() -> None:
        check_loss("hinge")

Each takes the name under which an installed plugin registers the component, and raises AssertionError with
what is wrong. Options are the defaults unless given. The contracts are in `fas_core.contracts`. Except for
metrics and data sets, the checks need the extra `train`. `fas_core.testing.networks` has those of networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, fields_dict

from fas_core.card import Card
from fas_core.contracts import Images, Scorer, Verification
from fas_core.descriptors import Dataset, Exporter, Loss, Metric
from fas_core.records.model_input import ModelInput
from fas_core.records.outputs import Exported, Outputs
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.testing.support import (
    BATCH,
    CLASSES,
    SIDE,
    batch_of,
    check_attributes,
    explain,
    load_component,
    outputs_of,
    random_images,
    score_table,
    tiny_model,
    verify_on,
)
from fas_core.urls import is_url, locate

if TYPE_CHECKING:
    from torch import Tensor

    from fas_core.models.model import Model


def check_loss(name: str, options: Any = None, *, model: Model | None = None) -> None:
    """Check a loss's contract.

    A finite scalar with a finite gradient, also of large logits and of more classes, that depends on the
    labels, is a mean over the batch, and is computed from the outputs that it needs alone.
    """
    import torch

    from fas_core.training.loss import list_needs, list_target_modalities

    target, options = load_component(Loss, name, options)
    with explain(name, "target(options, model=model)"):
        loss = target(options, model=model or tiny_model())
    assert callable(loss), f"{name}: target gave {loss!r}, which is not callable"
    needs, reads = list_needs(loss), list_target_modalities(loss)
    unknown = [key for key in needs if key not in fields_dict(Outputs)]
    assert not unknown, (
        f"{name}: needs {unknown[0]!r}, which is no output ({', '.join(fields_dict(Outputs))})"
    )

    def compute(logits: Tensor, label: Tensor) -> Tensor:
        every, batch = outputs_of(logits), batch_of(label)
        outputs = Outputs(**{key: getattr(every, key) for key in ("score", *needs)})
        images = {key: pixels for key, pixels in batch.images.items() if key in ("rgb", *reads)}
        with explain(name, f"the loss, given {', '.join(needs) or 'no output'} (its `needs`) and the score,"):
            value = loss(outputs, evolve(batch, images=images))
            assert isinstance(value, torch.Tensor), f"{name}: gave a {type(value).__name__}, no tensor"
        assert value.shape == (), f"{name}: gave shape {tuple(value.shape)}: must be a scalar"
        return value

    label = torch.tensor([1, 0, 1, 0])
    for classes in CLASSES:
        for scale in (1.0, 1000.0):
            logits = torch.linspace(0, 3, classes * BATCH).reshape(BATCH, classes).cos() * scale
            logits.requires_grad_()
            values = [compute(logits, labels) for labels in (label, 1 - label)]
            for value in values:
                assert value.isfinite(), f"{name}: {value.item()} for logits up to {scale:g}"
            assert values[0] != values[1], f"{name}: the same for any labels"
            _check_gradient(name, sum(values), logits, scale)
        repeated = compute(logits.detach().repeat(2, 1), label.repeat(2))
        mean = torch.allclose(repeated, values[0], rtol=1e-4)
        assert mean, f"{name}: {repeated:g} of a batch twice, {values[0]:g} of it once: must be a mean"


def _check_gradient(name: str, total: Any, logits: Tensor, scale: float) -> None:
    assert total.requires_grad, f"{name}: no gradient reaches the outputs"
    total.backward()
    assert logits.grad is not None, f"{name}: no gradient reaches the outputs"
    assert logits.grad.isfinite().all(), f"{name}: its gradient is not finite for logits up to {scale:g}"


def check_metric(name: str, options: Any = None) -> None:
    """Check a metric's contract.

    Named floats that do not depend on the order of samples and, without exception or warning, the same names
    for tables of one class, of no sample, without labels and without scores, with NaN where undefined.
    """
    target, options = load_component(Metric, name, options)

    def measure(text: str, table: ScoreTable, threshold: float | None = 0.5) -> dict[str, float]:
        with explain(name, f"{text}: it", strict=True):
            result = target(options, scores=table, threshold=threshold)
        assert isinstance(result, Mapping), f"{name}: gave a {type(result).__name__}, not values by name"
        for key, value in result.items():
            assert isinstance(value, float), f"{name}: {key}: {value!r} is no float"
            assert not isinf(value), f"{name}: {key} is {value} {text}: give NaN where it is undefined"
        return dict(result)

    scores = score_table()
    values = measure("for both classes", scores)
    assert values, f"{name}: no figures"
    for key, value in values.items():
        assert not isnan(value), f"{name}: {key} is NaN though both classes have scores"
    reordered = ScoreTable(scores.table.take(list(reversed(range(len(scores))))))
    again = list(measure("for both classes", reordered).values())
    same = np.allclose(again, list(values.values()), rtol=1e-9, atol=0)
    assert same, f"{name}: the order of samples counts"
    for text, table in degenerate_tables().items():
        for threshold in (0.5, None):
            undefined = measure(text if threshold else f"{text} and without a threshold", table, threshold)
            given = set(undefined) == set(values)
            assert given, f"{name}: {text}: other figures: give NaN where one is undefined"


def degenerate_tables() -> dict[str, ScoreTable]:
    """Return score tables for which some metrics are not defined, by a description."""
    scores = score_table(3, 4)
    columns = {key: scores.table.column(key).to_pylist() for key in ("id", "score", "label", "species")}
    return {
        "for both classes": score_table(),
        "without live samples": score_table(0, 60),
        "without attacks": score_table(40, 0),
        "for one live sample and one attack": score_table(1, 1),
        "without samples": score_table(0, 0),
        "without labels": ScoreTable.of({**columns, "label": [None] * len(scores)}),
        "for equal scores": ScoreTable.of({**columns, "score": [0.5] * len(scores)}),
        "for scores that are all NaN (failures to respond)": ScoreTable.of(
            {**columns, "score": [float("nan")] * len(scores)}
        ),
        "without species": ScoreTable.of({**columns, "species": None}),
    }


def check_dataset(name: str, root: Path, options: Any = None) -> None:
    """Check that every split reads the same twice, has labels and unique ids, and that its files exist."""
    target, options = load_component(Dataset, name, options)
    with explain(name, "target(options, root=root)"):
        reader = target(options, root=root)
    methods = dict.fromkeys(("prepare", "splits", "samples"), "called as a method()")
    pairs = "pairs of splits that share subjects by design, () if none do"
    check_attributes(
        name, reader, **methods, overlaps=pairs, notes="lines about the data, () if there are none"
    )
    with explain(name, "prepare() and splits()"):
        reader.prepare()
        splits = reader.splits()
    split_of: dict[str, str] = {}
    assert splits, f"{name}: no splits in {root}"
    for pair in reader.overlaps:
        known = len(pair) == 2 and set(pair) <= set(splits)
        assert known, f"{name}: overlaps: {pair!r} is no pair of its splits ({', '.join(splits)})"
    for split in splits:
        with explain(name, f"samples({split!r})"):
            samples, again = reader.samples(split), target(options, root=root).samples(split)
        assert isinstance(samples, SampleTable), f"{name}: samples() gave {type(samples).__name__}"
        assert len(samples), f"{name}: split {split!r} is empty"
        assert samples.fingerprint() == again.fingerprint(), f"{name}: {split!r} reads differently each time"
        assert set(samples.column("split")) == {split}, f"{name}: column 'split' does not say {split!r}"
        assert set(samples.labels) <= {1, 0, -1}, f"{name}: labels other than 1 (live) and 0 (attack)"
        for key in samples.column("id"):
            other = split_of.setdefault(key, split)
            assert other == split, f"{name}: id {key!r} in {other} and {split}"
        for modality in samples.modalities:
            paths = [path for path in samples.column(modality) if path is not None]
            local = {path: locate(samples.root, path) for path in paths if not is_url(path)}
            missing = [path for path, file in local.items() if isinstance(file, Path) and not file.is_file()]
            assert not missing, f"{name}: {split!r}: no such file: {missing[0]}"


def check_exporter(name: str, folder: Path, options: Any = None) -> None:
    """Check that it writes what its descriptor names into `folder`, nothing else, and has it verified."""
    target, options = load_component(Exporter, name, options)
    descriptor, modalities = registry().find(Exporter, name), ("rgb", "depth")
    destination, before = folder / f"model{descriptor.suffix}", set(folder.iterdir())
    beside = tuple(destination.with_suffix(suffix) for suffix in descriptor.beside)
    model, images = tiny_model(modalities), random_images(modalities)
    card = Card(ModelInput(modalities, SIDE), Threshold(0.5, "fixed:0.5", "given"))
    results: list[Verification] = []
    compare = verify_on(model, images, results)

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        _check_scorer(name, scorer, images)
        return compare(scorer, tolerance=tolerance, acer_loss=acer_loss)

    with explain(name, "the export"):
        exported = target(
            options, model=model, samples=images, destination=destination, card=card, verify=verify
        )
    assert isinstance(exported, Exported), f"{name}: gave a {type(exported).__name__}, no Exported"
    written = set(folder.iterdir()) - before
    names = sorted(map(str, written))
    assert written == {destination, *beside}, f"{name}: wrote {names}, not just {destination}"
    if descriptor.suffix:
        assert exported.path == destination, f"{name}: says it wrote {exported.path}, not {destination}"
        assert exported.beside == beside, f"{name}: says it wrote {exported.beside} beside it"
    else:
        outside = [path for path in (exported.path, *exported.beside) if destination not in path.parents]
        assert not outside, f"{name}: says it wrote {outside[0]}, which is not in {destination}"
    assert results, f"{name}: did not have what it wrote verified"
    assert exported.verification is results[-1], f"{name}: gives another verification than it was given"
    difference = exported.verification.max_difference
    assert difference <= 1e-3, f"{name}: scores differ from the model's by {difference:g}"


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
