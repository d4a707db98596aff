"""Plots as files, and as SVG elements of a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fas_plugins.commands.report.html import Plot, PlotFormat


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_plots_as_files(plots: list[Plot], kind: PlotFormat, start: bytes, tmp_path: Path) -> None:
    files = [plot.write(tmp_path / "plots", kind) for plot in plots[::3]]
    assert [file.name for file in files] == [f"{plot.name}.{kind}" for plot in plots[::3]]
    assert all(file.read_bytes().startswith(start) for file in files)
    assert all(b"<dc:date>" not in file.read_bytes() for file in files)


def test_an_svg_element_uses_roles_and_ids_of_its_own(plots: list[Plot]) -> None:
    roc, det = (str(plot.to_svg()) for plot in plots[:2])
    assert 'aria-labelledby="roc-title roc-text"' in roc
    assert f'<title id="roc-title">{plots[0].title}</title>' in roc
    assert "var(--ink)" in roc
    for plot_format in ("xmlns", "font-family", "<metadata", " width="):
        assert plot_format not in roc.partition(">")[0]
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (roc, det)]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'href="#([^"]+)"', roc)) <= ids[0]
