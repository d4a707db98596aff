"""Names and rates as the plots show them."""

from __future__ import annotations

import pytest

from fas_plugins.commands.report.html.axes import (
    create_figure,
    draw_legend,
    draw_vertical_line,
    format_rate,
    lowest_rate,
    shorten_name,
)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.001, "0.1 %"), (0.1234, "12 %"), (0.999, "99.9 %"), (1.0, "100 %"), (1e-6, "0.0001 %")],
)
def test_rates_are_per_cent(rate: float, text: str) -> None:
    assert format_rate(rate) == text


@pytest.mark.parametrize(("count", "rate"), [(1, 1), (9, 0.1), (1000, 0.001), (1001, 1e-4), (10**9, 1e-6)])
def test_the_lowest_rate_is_a_power_of_ten(count: int, rate: float) -> None:
    assert lowest_rate(count) == pytest.approx(rate)


def test_long_names_lose_their_middle() -> None:
    assert shorten_name("a" * 32) == "a" * 32
    shortened = shorten_name("first" + "x" * 40 + "last")
    assert len(shortened) == 32
    assert shortened.startswith("first")
    assert shortened.endswith("last")
    assert "…" in shortened


def test_a_single_name_needs_no_legend() -> None:
    figure, axes = create_figure()
    (line,) = axes.plot([0, 1], [0, 1])
    draw_legend(figure, {"one": line})
    assert figure.legends == []


def test_a_line_outside_of_the_plot_is_not_drawn() -> None:
    _, axes = create_figure()
    axes.set(xlim=(0, 1))
    assert draw_vertical_line(axes, "threshold", None) == draw_vertical_line(axes, "threshold", 2.0) == {}
    assert list(draw_vertical_line(axes, "threshold", 0.25)) == ["threshold 0.25"]
