"""Which plots are drawn, and what their legends say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fas_plugins.commands.report.html import Plot, draw_plots


def test_names_that_matplotlib_would_hide_or_has_no_glyphs_for(
    tmp_path: Path, evaluate: Any, render_page: Any, write_scores: Any
) -> None:
    path = write_scores(tmp_path / "_hidden.csv", species="人皮面具")
    other = write_scores(tmp_path / "other.csv", species="人皮面具")
    html = render_page(evaluate(path, other, policy="fixed:0.5"))
    legend = html[html.index('id="roc"') : html.index('id="det"')]
    assert legend.count("_hidden</text>") == 1
    assert "人皮面具</text>" in html


def test_plots_of_a_run(plots: list[Plot]) -> None:
    names = ["roc", "det", "histogram", "rates", "species", "training-loss", "training-eer"]
    assert [plot.name for plot in plots] == names


def test_plots_of_one_class(evaluate: Any, tmp_path: Path) -> None:
    (tmp_path / "live.csv").write_text("id,score,label\na,0.2,1\nb,0.9,1\n")
    assert [plot.name for plot in draw_plots(evaluate(tmp_path / "live.csv"))] == ["histogram"]


def test_the_texts_give_the_rates(evaluate: Any, tmp_path: Path) -> None:
    rows = "a,0.9,1\nb,0.6,1\nc,0.4,0\nd,0.7,0\n"  # of 4 pairs, 3 are in order: AUC 0.75
    (tmp_path / "scores.csv").write_text(f"id,score,label\n{rows}")
    by_name = {plot.name: plot for plot in draw_plots(evaluate(tmp_path / "scores.csv"))}
    assert "scores: area under the curve 0.7500" in by_name["roc"].text
    assert "scores: equal error rate 50 %" in by_name["det"].text
    assert "live: 2, median 0.75; attack: 2, median 0.55" in by_name["histogram"].text


def test_every_legend_marks_an_oracle(evaluate: Any, write_scores: Any, tmp_path: Path) -> None:
    systems = evaluate(
        write_scores(tmp_path / "one.csv"), write_scores(tmp_path / "two.csv"), policy="oracle:eer"
    )
    for plot in draw_plots(systems):
        (legend,) = plot.figure.legends
        assert any("oracle" in text.get_text() for text in legend.get_texts()), plot.name
