"""The lines below tables: shared ones once, others with their result's name, and none too long."""

from __future__ import annotations

from fas_core.evaluation.intervals import Intervals
from fas_core.evaluation.notes import (
    describe_exact,
    describe_intervals,
    describe_small_counts,
    describe_warnings,
)
from fas_core.evaluation.result import Result

COUNTS = {"live": 20, "attack": 540, "unknown": 0, "no_response": 0, "total": 560}
FIGURES = {"eer": (0.0, 0.2), "apcer": (0.0, 0.2), "auc": (0.9, 1.0)}


def result(name: str, exact: tuple[str, ...] = (), **metrics: float) -> Result:
    intervals = Intervals("subject", 20, 1000, 0.95, FIGURES, exact=exact)
    return Result(name, metrics or dict.fromkeys(FIGURES, 0.9), None, COUNTS, {}, intervals=intervals)


def test_exact_intervals_are_named() -> None:
    text = "exact (Clopper-Pearson over subjects), because no replicate differs: "
    assert describe_exact(Intervals("subject", 20, 9, 0.95, FIGURES)) == ""
    some = Intervals("subject", 20, 9, 0.95, FIGURES, exact=("apcer",), exact_species=("print",))
    assert describe_exact(some) == f"{text}APCER pooled, APCER of print"
    assert describe_exact(Intervals("subject", 20, 9, 0.95, FIGURES, exact=tuple(FIGURES))) == f"{text}all"
    partly = Intervals("subject", 20, 9, 0.95, FIGURES, exact=("apcer",), partly_exact=("acer",))
    assert describe_exact(partly) == f"{text}APCER pooled; partly, as means with one of these: ACER pooled"


def test_lines_of_one_result_have_its_name() -> None:
    lines = describe_intervals([result("a", ("eer",)), result("b")])
    assert lines[0] == "from, to: 95 % intervals, 1000 bootstrap replicates over 20 subjects"
    assert lines[1].startswith("exact")
    lines = describe_intervals([result("a", ("eer",)), result("b", tuple(FIGURES))])
    assert lines[1].partition(":")[0] == "a"
    assert any(line.startswith("b: exact") for line in lines)
    assert max(map(len, lines)) <= 80


def test_marks_are_explained_for_the_metrics_of_the_table() -> None:
    marked = result("a", **{"tpr@fpr=1e-3": 0.5, "apcer@bpcer=1e-2": 0.1})
    assert describe_small_counts([marked], ["tpr@fpr=1e-3"]) == [
        "* TPR@FPR=1e-3 stands on 540 attacks, fewer than 1,000"
    ]
    assert describe_small_counts([marked], ["eer"]) == []


def test_warnings_name_their_result() -> None:
    first, *_ = describe_warnings([result("a"), result("b", auc=0.5)])
    assert first.startswith("warning: b: AUC 0.500")
    assert max(map(len, describe_warnings([result("a_longer_name", auc=0.1)]))) <= 80
