"""The page in headless Chromium: its sections, no console message, narrow and wide, dark, and printed."""

from __future__ import annotations

import json
import re
import subprocess
import zlib
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pytest
from fixtures.browsers import CHROMIUM, FLAGS, MISSING

from fas_core.evaluation.comparison import compare
from fas_plugins.commands.report.html.theme import COLOURS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

PHONE, DESK = 375, 1280
DARK = "--blink-settings=preferredColorScheme=0"
MEASURE = """
const measured = frame => {
  const page = frame.contentDocument, style = name => getComputedStyle(page.querySelector(name));
  return {
    width: frame.contentWindow.innerWidth,
    content: page.documentElement.scrollWidth,
    sections: [...page.querySelectorAll("section")].map(part => part.id),
    figures: [...page.querySelectorAll("figure[id]")].map(part => part.id),
    tables: page.querySelectorAll("table").length,
    drawn: [...page.querySelectorAll("figure[id] > svg")].map(plot => plot.getBoundingClientRect().width),
    images: [...page.querySelectorAll("img")].map(image => image.naturalWidth),
    dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
    paper: style("body").backgroundColor,
    ink: style("body").color,
    plotInk: style("#roc text").fill,
    hatch: style("#histogram-1 pattern path").stroke,
    font: style("#roc text").fontFamily === style("body").fontFamily,
  };
};
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(measured);
  document.body.innerHTML = "";
  document.body.append("MEASURED" + JSON.stringify(found) + "MEASURED");
});
"""


def chromium(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
    ]
    logged = ["--enable-logging=stderr", "--log-level=0"]
    return subprocess.run(
        [str(part) for part in (*command, *logged, *arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=True,
    )


def console_messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


@pytest.fixture(scope="module")
def page(
    make_run: Callable[..., Path],
    evaluate: Any,
    render_page: Any,
    metrics: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A report of two runs."""
    folder = tmp_path_factory.mktemp("runs")
    paths = [make_run(folder / "first-run-with-a-rather-long-name"), make_run(folder / "second", seed=9)]
    systems = evaluate(*paths)
    html: str = render_page(systems, compare(systems, metrics, 20), worst=4)
    return html


def measured(page: str, folder: Path, *flags: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What the page is like in frames as wide as a phone and a desk, and its console messages."""
    frames = [
        f'<iframe width="{width}" height="900" style="border: 0" srcdoc="{escape(page)}"></iframe>'
        for width in (PHONE, DESK)
    ]
    file = folder / "measure.html"
    file.write_text(f"<!DOCTYPE html><body>{''.join(frames)}<script>{MEASURE}</script>", encoding="utf-8")
    done = chromium(folder, *flags, "--dump-dom", file.as_uri())
    return json.loads(done.stdout.split("MEASURED")[1].replace("&amp;", "&")), console_messages(done)


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_phones_and_desktops_show_every_section(page: str, tmp_path: Path, dark: bool) -> None:
    frames, messages = measured(page, tmp_path, *([DARK] if dark else []))
    assert messages == []
    assert [frame["width"] for frame in frames] == [PHONE, DESK]
    for frame in frames:
        assert frame["content"] <= frame["width"], "the page scrolls sideways"
        assert {"summary", "comparison", "curves", "training", "mistakes", "making"} <= set(frame["sections"])
        assert {"roc", "det", "histogram-1", "rates-2", "species", "training-loss"} <= set(frame["figures"])
        assert frame["tables"] >= 4
        assert len(frame["drawn"]) == len(frame["figures"])
        assert all(300 < width < frame["width"] for width in frame["drawn"])
        assert set(frame["images"]) == {112}
        assert frame["dark"] is dark
        assert frame["paper"] == rgb(COLOURS["paper"][dark])
        assert frame["ink"] == frame["plotInk"] == rgb(COLOURS["ink"][dark])
        assert frame["hatch"] == rgb(COLOURS["attack"][dark])
        assert frame["font"]


def test_console_messages_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "wrong.html"
    file.write_text("<script>console.error('text'); missing()</script>")
    messages = console_messages(chromium(tmp_path, "--dump-dom", file.as_uri()))
    assert ["text" in messages[0], "missing is not defined" in messages[1]] == [True, True]


def fills(pdf: bytes) -> set[tuple[int, ...]]:
    """Colours, 0-255, that the content of a PDF fills areas with."""
    found = set()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            content = zlib.decompress(stream)
        except zlib.error:
            continue
        for numbers in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b", content):
            found.add(tuple(round(255 * float(number)) for number in numbers))
    return found


def test_it_prints_light_even_where_the_screen_is_dark(page: str, tmp_path: Path) -> None:
    file, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(page, encoding="utf-8")
    done = chromium(tmp_path, DARK, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", file.as_uri())
    assert console_messages(done) == []
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    light, dark = ({tuple(bytes.fromhex(pair[scheme][1:])) for pair in COLOURS.values()} for scheme in (0, 1))
    assert fills(content) & light
    assert not fills(content) & dark
