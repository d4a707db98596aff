"""Contract checks for plugin authors: one call in a plugin's tests finds what a component gets wrong.

    from fas_core.testing import check_loss

    def test_hinge() -> None:
        check_loss("hinge")

Each takes the name under which an installed plugin registers the component, or a descriptor, and raises
`ContractError`, an AssertionError that says what is wrong, which rule that is, and why it exists.
Options are the defaults unless given. The contracts are in `fas_core.contracts`. Except for metrics,
schedules and data sets, the checks need the extra `train`. `fas_core.testing.networks` has those of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isinf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, fields_dict

from fas_core.descriptors import Dataset, Loss, Metric
from fas_core.records.outputs import Outputs
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable
from fas_core.testing.rules import rule
from fas_core.testing.support import (
    BATCH,
    CLASSES,
    batch_of,
    check_attributes,
    explain,
    load_component,
    outputs_of,
    score_table,
    tiny_model,
)
from fas_core.urls import is_url, locate

if TYPE_CHECKING:
    from torch import Tensor

    from fas_core.models.model import Model


@rule("call")
def check_loss(component: str | Loss, options: Any = None, *, model: Model | None = None) -> None:
    """Check a loss's contract.

    A finite scalar with a finite gradient, also of large logits and of more classes, that depends on the
    labels, is a mean over the batch, and is computed from the outputs that it needs alone.
    """
    import torch

    from fas_core.training.loss import list_needs, list_target_modalities

    descriptor, target, options = load_component(Loss, component, options)
    name = descriptor.name
    with explain(name, "target(options, model=model)"):
        loss = target(options, model=model or tiny_model())
    assert callable(loss), f"{name}: target gave {loss!r}, which is not callable"
    needs, reads = list_needs(loss), list_target_modalities(loss)
    unknown = [key for key in needs if key not in fields_dict(Outputs)]
    with rule("needs"):
        assert not unknown, (
            f"{name}: needs {unknown[0]!r}, which is no output ({', '.join(fields_dict(Outputs))})"
        )

    @rule("needs")
    def compute(logits: Tensor, label: Tensor) -> Tensor:
        every, batch = outputs_of(logits), batch_of(label)
        outputs = Outputs(**{key: getattr(every, key) for key in ("score", *needs)})
        images = {key: pixels for key, pixels in batch.images.items() if key in ("rgb", *reads)}
        with explain(name, f"the loss, given {', '.join(needs) or 'no output'} (its `needs`) and the score,"):
            value = loss(outputs, evolve(batch, images=images))
        with rule("mean"):
            assert isinstance(value, torch.Tensor), f"{name}: gave a {type(value).__name__}, no tensor"
            assert value.shape == (), f"{name}: gave shape {tuple(value.shape)}: must be a scalar"
        return value

    label = torch.tensor([1, 0, 1, 0])
    for classes in CLASSES:
        for scale in (1.0, 1000.0):
            logits = torch.linspace(0, 3, classes * BATCH).reshape(BATCH, classes).cos() * scale
            logits.requires_grad_()
            values = [compute(logits, labels) for labels in (label, 1 - label)]
            with rule("finite gradient"):
                for value in values:
                    assert value.isfinite(), f"{name}: {value.item()} for logits up to {scale:g}"
            with rule("depends on labels"):
                assert values[0] != values[1], f"{name}: the same for any labels"
            _check_gradient(name, sum(values), logits, scale)
        _check_one_class(name, compute, logits.detach())
        repeated = compute(logits.detach().repeat(2, 1), label.repeat(2))
        mean = torch.allclose(repeated, values[0], rtol=1e-4)
        with rule("mean"):
            assert mean, f"{name}: {repeated:g} of a batch twice, {values[0]:g} of it once: must be a mean"


@rule("one class")
def _check_one_class(name: str, compute: Callable[..., Tensor], logits: Tensor) -> None:
    """Check batches of live samples alone and of attacks alone, whose loss may be constant."""
    import torch

    for label, samples in ((1, "live samples"), (0, "attacks")):
        inputs = logits.clone().requires_grad_()
        value = compute(inputs, torch.full((len(logits),), label))
        assert value.isfinite(), f"{name}: {value.item()} for a batch of {samples} alone"
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        finite = inputs.grad is None or inputs.grad.isfinite().all()
        assert finite, f"{name}: its gradient is not finite for a batch of {samples} alone"


@rule("finite gradient")
def _check_gradient(name: str, total: Any, logits: Tensor, scale: float) -> None:
    assert total.requires_grad, f"{name}: no gradient reaches the outputs"
    total.backward()
    assert logits.grad is not None, f"{name}: no gradient reaches the outputs"
    assert logits.grad.isfinite().all(), f"{name}: its gradient is not finite for logits up to {scale:g}"


@rule("call")
def check_metric(component: str | Metric, options: Any = None) -> None:
    """Check a metric's contract.

    Named floats that do not depend on the order of samples and, without exception or warning, the same names
    for tables of one class, of no sample, without labels and without scores, with NaN where undefined.
    """
    descriptor, target, options = load_component(Metric, component, options)
    name = descriptor.name

    def measure(text: str, table: ScoreTable, threshold: float | None = 0.5) -> dict[str, float]:
        with explain(name, f"{text}: it", strict=True):
            result = target(options, scores=table, threshold=threshold)
        assert isinstance(result, Mapping), f"{name}: gave a {type(result).__name__}, not values by name"
        for key, value in result.items():
            assert isinstance(value, float), f"{name}: {key}: {value!r} is no float"
            assert not isinf(value), f"{name}: {key} is {value} {text}: give NaN where it is undefined"
        return dict(result)

    scores = score_table()
    with rule("figures"):
        values = measure("for both classes", scores)
        assert values, f"{name}: no figures"
        for key, value in values.items():
            assert not isnan(value), f"{name}: {key} is NaN though both classes have scores"
    reordered = ScoreTable(scores.table.take(list(reversed(range(len(scores))))))
    again = list(measure("for both classes", reordered).values())
    same = np.allclose(again, list(values.values()), rtol=1e-9, atol=0)
    with rule("order of samples"):
        assert same, f"{name}: the order of samples counts"
    _check_degenerate(name, measure, set(values))


@rule("every table")
def _check_degenerate(name: str, measure: Callable[..., dict[str, float]], keys: set[str]) -> None:
    """Check that there are the same figures of every table, with and without a threshold."""
    for text, table in degenerate_tables().items():
        for threshold in (0.5, None):
            undefined = measure(text if threshold else f"{text} and without a threshold", table, threshold)
            complete = set(undefined) == keys
            assert complete, f"{name}: {text}: other figures: give NaN where one is undefined"


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


@rule("call")
def check_dataset(component: str | Dataset, root: Path, options: Any = None) -> None:
    """Check that every split reads the same twice, has labels and unique ids, and that its files exist."""
    descriptor, target, options = load_component(Dataset, component, options)
    name = descriptor.name
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
    with rule("splits"):
        assert splits, f"{name}: no splits in {root}"
        for pair in reader.overlaps:
            known = len(pair) == 2 and set(pair) <= set(splits)
            assert known, f"{name}: overlaps: {pair!r} is no pair of its splits ({', '.join(splits)})"
    for split in splits:
        with explain(name, f"samples({split!r})"):
            samples, again = reader.samples(split), target(options, root=root).samples(split)
        assert isinstance(samples, SampleTable), f"{name}: samples() gave {type(samples).__name__}"
        with rule("reads alike"):
            alike = samples.fingerprint() == again.fingerprint()
            assert alike, f"{name}: {split!r} reads differently each time"
        _check_samples(name, split, samples, split_of)


@rule("samples")
def _check_samples(name: str, split: str, samples: SampleTable, split_of: dict[str, str]) -> None:
    """Check the samples of a split; `split_of` has the splits of the ids so far."""
    assert len(samples), f"{name}: split {split!r} is empty"
    assert set(samples.column("split")) == {split}, f"{name}: column 'split' does not say {split!r}"
    assert set(samples.labels) <= {1, 0, -1}, f"{name}: labels other than 1 (live) and 0 (attack)"
    for key in samples.column("id"):
        other = split_of.setdefault(key, split)
        assert other == split, f"{name}: id {key!r} in {other} and {split}"
    for modality in samples.modalities:
        paths = [path for path in samples.column(modality) if path is not None]
        local = {path: locate(samples.root, path) for path in paths if not is_url(path)}
        missing = [path for path, file in local.items() if isinstance(file, Path) and not file.is_file()]
        with rule("files"):
            assert not missing, f"{name}: {split!r}: no such file: {missing[0]}"
