"""Texts at the pointer: one for each point, bin and bar, with the figures of the scores."""

from __future__ import annotations

from xml.etree import ElementTree

from fas_plugins.commands.report.html import Plot
from fas_plugins.commands.report.systems import EvaluatedSystem


def titles(plot: Plot) -> list[str]:
    """The texts of a plot's marks, without its own title."""
    root = ElementTree.fromstring(str(plot.to_svg()))
    return [item.text or "" for item in root.iter("title") if "id" not in item.attrib]


def test_points_of_a_curve_have_their_threshold_and_rates(plots: list[Plot], system: EvaluatedSystem) -> None:
    found = titles(next(plot for plot in plots if plot.name == "roc"))
    assert found[0].startswith(f"{system.name}: threshold ")
    assert "attacks accepted 100 %" in found[0]
    assert found[-1].endswith("live refused 100 %")
    rates, threshold = system.scores.rates, float(found[10].split("threshold ")[1].split(":")[0])
    near = [100 * float(rates.bpcer(threshold + step)) for step in (-1e-3, 0, 1e-3)]
    shown = float(found[10].rsplit("refused ", 1)[1].removesuffix(" %"))
    assert min(near) - 0.1 <= shown <= max(near) + 0.1


def test_bins_and_bars_have_their_shares(plots: list[Plot], system: EvaluatedSystem) -> None:
    bins = titles(next(plot for plot in plots if plot.name == "histogram"))
    assert len(bins) == 50
    live = [float(text.split("live ")[1].split(" %")[0]) for text in bins]
    assert abs(sum(live) - 100) < 1
    bars = titles(next(plot for plot in plots if plot.name == "species"))
    assert len(bars) == len(system.result.species)
    for name, item in system.result.species.items():
        (text,) = (text for text in bars if f", {name}: " in text)
        assert f"{item.accepted} of {item.count} accepted" in text
        assert "; interval " in text
