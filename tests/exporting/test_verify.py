"""Comparison of an exported model with the model: grey levels as scores, changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.contracts import Images, Scorer, Verification
from fas_core.errors import DataError, ModelError
from fas_core.exporting import verify
from fas_core.exporting.verify import Comparison, latency, spread
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.scores.thresholds import Threshold

MakeSamples = Callable[..., SampleTable]
DESTINATION = Path("model.onnx")


def levels(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
    """The model: the grey level / 100, which is row / 10 for the samples of `make_samples`."""
    return images["rgb"][:, 0, 0, 0] / 100


def shifted(amounts: dict[int, float]) -> Scorer:
    """An exported model whose scores differ by these amounts at these grey levels."""

    def score(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
        grey = images["rgb"][:, 0, 0, 0]
        return grey / 100 + np.array([amounts.get(int(level), 0.0) for level in grey])

    return score


@pytest.fixture(autouse=True)
def few_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "REPEATS", 2)


@pytest.fixture
def compare(make_samples: MakeSamples) -> Callable[..., Verification]:
    """`compare(scorer, threshold=0.15, split="dev", ...)`: on four samples of scores 0, 0.1, 0.2 and 0.3.

    The second and the last are live: at 0.15 one of two attacks and one of two live samples is wrong.
    """

    def run(
        scorer: Scorer,
        threshold: float | None = 0.15,
        split: str = "dev",
        tolerance: float | None = None,
        acer_loss: float = 1.0,
        **columns: Any,
    ) -> Verification:
        fixed = None if threshold is None else Threshold(threshold, "eer", "dev")
        samples = make_samples(4, **columns)
        comparison = Comparison(levels, samples, split, Card(ModelInput(("rgb",), 32), fixed))
        return comparison.verifier(DESTINATION)(scorer, tolerance=tolerance, acer_loss=acer_loss)

    return run


def test_equal_scores_have_no_difference(compare: Callable[..., Verification]) -> None:
    result = compare(levels, tolerance=1e-9, acer_loss=0.0)
    assert (result.samples, result.split, result.changed) == (4, "dev", 0)
    assert (result.max_difference, result.mean_difference) == (0, 0)
    assert (result.acer_before, result.acer_after) == (0.5, 0.5)
    assert result.latency is not None
    assert result.unverified == ()


def test_differences_decisions_and_acer_are_counted(compare: Callable[..., Verification]) -> None:
    # The attack of 0 is accepted as well, at 0.2: APCER 1, BPCER 0.5.
    result = compare(shifted({0: 0.2, 10: -0.1}))
    assert result.max_difference == pytest.approx(0.2)
    assert result.mean_difference == pytest.approx(0.3 / 4)
    assert result.changed == 1
    assert (result.threshold, result.acer_before, result.acer_after) == (0.15, 0.5, 0.75)


def test_a_difference_beyond_the_tolerance_is_refused(compare: Callable[..., Verification]) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx: not written: .* up to 0\.01 .* the 0\.001 allowed"):
        compare(shifted({0: 0.01}), tolerance=1e-3)


def test_scores_that_are_no_numbers_are_refused_at_any_tolerance(
    compare: Callable[..., Verification],
) -> None:
    with pytest.raises(ModelError, match="differ by up to nan"):
        compare(shifted({0: np.nan}))


@pytest.mark.parametrize(("acer_loss", "passes"), [(0.25, True), (0.24, False)])
def test_acer_may_grow_by_its_limit(
    compare: Callable[..., Verification], acer_loss: float, passes: bool
) -> None:
    worse = shifted({0: 0.2})  # ACER 0.5 to 0.75
    if passes:
        assert compare(worse, acer_loss=acer_loss).acer_after == 0.75
        return
    with pytest.raises(ModelError, match=r"ACER on 4 samples of dev is 75\.00% and the model's 50\.00%"):
        compare(worse, acer_loss=acer_loss)


def test_ties_do_not_count_as_changed_decisions(compare: Callable[..., Verification]) -> None:
    # The live sample of score 0.1 is at the threshold, and rounding puts it below.
    result = compare(shifted({10: -6e-8}), threshold=0.1, tolerance=1e-4, acer_loss=0.0)
    assert (result.changed, result.ties) == (0, 1)
    assert result.acer_before == result.acer_after == 0.25


def test_a_decision_beyond_a_tie_counts(compare: Callable[..., Verification]) -> None:
    with pytest.raises(
        ModelError,
        match=r"points allowed: decisions changed at the threshold 0\.098: 1, e\.g\. 1 has 0\.1 in the model "
        r"and 0\.05 in the file; scores differ by up to 0\.05, 0\.1 allowed",
    ):
        compare(shifted({10: -0.05}), threshold=0.098, tolerance=0.1, acer_loss=0.0)


def test_a_lower_acer_passes(compare: Callable[..., Verification]) -> None:
    assert compare(shifted({10: 0.1, 20: -0.1}), acer_loss=0.0).acer_after == 0.0


def test_what_cannot_be_verified_is_listed(compare: Callable[..., Verification]) -> None:
    without = compare(levels, threshold=None)
    assert without.changed is None
    assert without.unverified == ("decisions and ACER: no threshold goes with the model",)


def test_acer_needs_dev_samples_of_both_classes(compare: Callable[..., Verification]) -> None:
    test = compare(levels, split="test")
    assert (test.changed, test.acer_before) == (0, None)
    assert test.unverified == ("ACER on dev: the data has no dev split, only test",)
    one_class = compare(levels, label=[1, 1, 1, 1])
    assert one_class.unverified == ("ACER on dev: it has no labels of both classes",)


def test_every_subset_of_the_modalities_is_compared(make_samples: MakeSamples) -> None:
    def without_depth(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
        return levels(images) + (0.0 if presence is None else 0.5 * ~presence[:, 1])

    model_input = ModelInput(("rgb", "depth"), 32, partial=True)
    samples = make_samples(4, ("rgb", "depth"))
    comparison = Comparison(levels, samples, "dev", Card(model_input, None))
    result = comparison.verifier(DESTINATION)(without_depth, tolerance=None, acer_loss=0.0)
    assert result.mean_difference == 0  # every sample has both images
    assert result.max_difference == 0.5


def test_spread_takes_labels_by_their_shares(make_samples: MakeSamples) -> None:
    samples = make_samples(12, label=[1, 0, 0] * 4)
    selected = spread(samples, 6)
    assert selected.labels.tolist() == [0, 0, 0, 0, 1, 1]
    # Of 8 attacks the first, third, fifth and last; of 4 live samples the second and the last.
    assert selected.column("id") == ["1", "4", "7", "11", "3", "9"]
    assert len(spread(samples, 100)) == 12


def test_images_are_the_models_input_in_mixed_order(make_samples: MakeSamples) -> None:
    comparison = Comparison(levels, make_samples(8), "dev", Card(ModelInput(("rgb",), 16), None))
    images = comparison.images(4)
    assert images["rgb"].shape == (4, 16, 16, 3)
    # Attacks 0, 2, 4, 6, then live samples 1, 3, 5, 7: the first, third, sixth and last of these.
    assert sorted(images["rgb"][:, 0, 0, 0].tolist()) == [0, 30, 40, 70]


def test_no_samples_are_refused(make_samples: MakeSamples) -> None:
    with pytest.raises(DataError, match="no samples"):
        spread(make_samples(1).take([]), 4)


def test_latency_is_in_milliseconds_of_one_call() -> None:
    calls = 0

    def count(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
        nonlocal calls
        calls += 1
        return np.zeros(1)

    assert latency(count, {"rgb": np.zeros((1, 8, 8, 3), np.uint8)}) >= 0
    assert calls == 3  # one to warm up
