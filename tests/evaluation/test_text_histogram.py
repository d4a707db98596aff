"""The text histogram: counts that add up, a line that separates, bars in whatever can be shown."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core.console import Console
from fas_core.evaluation import text_histogram
from fas_core.evaluation.text_histogram import BINS, bin_scores, score_range
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.text_table import Styled, Table

ANY = st.sampled_from(
    [-1.0, 0.0, 0.25, 0.5, 0.5000000000000001, 1.0, 1e9, 1e99, -1e200, inf, -inf, 1.7e308, -1.7e308, 5e-324]
) | st.floats(-20, 20)
SCORES = st.lists(ANY, max_size=30)


def table(live: list[float], attack: list[float], unknown: list[float] = []) -> ScoreTable:  # noqa: B006
    scores = [*live, *attack, *unknown]
    labels = [1] * len(live) + [0] * len(attack) + [None] * len(unknown)
    return ScoreTable.of(
        {"id": [str(index) for index in range(len(scores))], "score": scores, "label": labels}
    )


def at(value: float) -> Threshold:
    return Threshold(value, "eer", "dev")


def drawn(scores: ScoreTable, threshold: Threshold | None, width: int = 80, blocks: bool = False) -> Table:
    found = text_histogram(scores.rates, threshold, width=width, blocks=blocks)
    assert found is not None
    return found


def sides(found: Table) -> tuple[list[list[str]], list[list[str]]]:
    """Rows above and below the line."""
    rows = [list(row) for row in found.rows]
    (line,) = (index for index, row in enumerate(rows) if row[2].startswith("threshold"))
    return rows[:line], rows[line + 1 :]


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(SCORES, SCORES, ANY, st.sampled_from([80, 60]))
def test_the_line_separates_what_is_accepted(
    live: list[float], attack: list[float], cut: float, width: int
) -> None:
    scores = table(live, attack)
    found = text_histogram(scores.rates, at(cut), width=width)
    if not (live or attack):
        assert found is None
        return
    assert found is not None
    for column, values in ((1, live), (3, attack)):
        above, below = (sum(int(row[column]) for row in rows) for rows in sides(found))
        assert above == sum(value >= cut for value in values)
        assert below == sum(value < cut for value in values)
    assert all(
        (row[column] == "0") == (not row[column + 1])
        for rows in sides(found)
        for row in rows
        for column in (1, 3)
    )
    labels = [row[0] for rows in sides(found) for row in rows]
    assert len(set(labels)) == len(labels) <= BINS + 2
    assert [float(label) for label in labels] == sorted(map(float, labels), reverse=True)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(SCORES, SCORES, ANY, st.sampled_from([80, 60]))
def test_no_line_is_wider_than_it_may_be(
    live: list[float], attack: list[float], cut: float, width: int
) -> None:
    found = text_histogram(table([*live, 0.5], attack).rates, at(cut), width=width)
    assert found is not None
    cells = [found.columns, *found.rows]
    assert sum(max(len(row[column]) for row in cells) for column in range(5)) + 4 * 2 <= width


def test_bins_are_even_and_meet_at_the_threshold() -> None:
    rng = np.random.default_rng(0)
    scores = table(rng.uniform(0.3, 1, 500).tolist(), rng.uniform(0, 0.6, 500).tolist())
    bins = bin_scores(scores.rates, 0.41)
    assert bins is not None
    assert 0.41 in bins.edges
    assert len(bins.edges) == BINS
    assert np.ptp(np.diff(bins.edges)) < 0.005
    assert bins.live.sum() == bins.attack.sum() == 500


def test_a_few_far_away_do_not_flatten_the_rest() -> None:
    rng = np.random.default_rng(0)
    scores = table([*rng.normal(3, 1, 1000), 1e9], [*rng.normal(-3, 1, 1000), -1e6, -inf])
    bins = bin_scores(scores.rates, 0.0)
    assert bins is not None
    assert bins.edges[0] == -inf
    assert ((bins.live > 0) | (bins.attack > 0)).sum() >= 10
    assert (bins.live[-1], bins.attack[0]) == (1, 2)


def test_equal_scores_are_one_row() -> None:
    same = table([0.5] * 3, [0.5])
    above, below = sides(drawn(same, at(0.5)))
    assert ([row[:2] for row in above], below) == ([["0.500", "3"]], [])
    above, below = sides(drawn(same, at(0.7)))
    assert (above, [row[3] for row in below]) == ([], ["1"])


def test_infinite_scores_alone() -> None:
    found = drawn(table([inf], [-inf]), None)
    assert [(row[1], row[3]) for row in found.rows] == [("1", "0"), ("0", "1")]
    assert found.rows[1][0] == "-inf"


def test_what_has_no_score_or_no_label_is_left_out() -> None:
    with_more = table([0.9, nan], [0.1, nan], [0.4])
    assert drawn(with_more, at(0.5)) == drawn(table([0.9], [0.1]), at(0.5))
    assert text_histogram(table([nan], [], [0.4]).rates, at(0.5)) is None


def test_bars_are_square_roots_of_shares_and_say_so() -> None:
    """Of 100 live samples 81 share a bin, 16 another and 3 a third; the fullest is as wide as can be."""
    scores = table([0.95] * 81 + [0.45] * 16 + [0.0] * 3, [0.0] * 100)
    found = drawn(scores, None)
    bars = {row[0]: (len(row[2]), len(row[4])) for row in found.rows if row[2] or row[4]}
    full = bars["0.000"][1]
    assert [length for length, _ in bars.values()] == [
        round(0.9 * full),
        round(0.4 * full),
        round(0.03**0.5 * full),
    ]
    assert "square root of the share of the class" in found.note


def test_one_of_a_million_is_seen() -> None:
    scores = table([1.0] * 100_000 + [0.0], [0.0])
    for blocks, least in ((False, "#"), (True, "▏")):
        assert drawn(scores, at(0.5), blocks=blocks).rows[-1][2] == least


def test_classes_are_told_apart_with_and_without_colour() -> None:
    found = drawn(table([0.9], [0.1]), at(0.5), blocks=True)
    assert list(found.columns) == ["score >=", "live", "", "attack", ""]
    styles = {cell.style for row in found.rows for cell in row if isinstance(cell, Styled) and "█" in cell}
    assert styles == {"green", "red"}
    assert found.title == "scores: scores by class, accepted when score >= 0.5 (eer on dev)"


def test_a_pipe_gets_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.table(drawn(table([0.9, 0.8], [0.1]), at(0.5), width=console.width, blocks=console.blocks))
    text = capsys.readouterr().out
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        ([0.0, 0.5, 1.0], ["0.950", "0.000"]),
        ([-1e-7, 0.0], ["-5e-09", "-1e-07"]),
        ([1e7, 2e7], ["1.95e+07", "1e+07"]),
    ],
)
def test_labels_are_as_long_as_they_need_to_be(scores: list[float], labels: list[str]) -> None:
    found = [row[0] for row in drawn(table(scores, []), None).rows]
    assert [found[0], found[-1]] == labels


def test_the_range_of_scores_is_finite_and_never_a_point() -> None:
    assert score_range(table([0.5, 0.5], [0.5]).rates) == (0, 1)
    assert score_range(table([], [4.0]).rates) == (2, 6)
    assert score_range(table([nan], []).rates) == (0, 1)
    assert score_range(table([inf], [-inf]).rates) == (0, 1)
