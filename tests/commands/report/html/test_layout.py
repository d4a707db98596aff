"""Nothing is cut off or broken on phones and on paper: measured in headless Chromium, by `tox -e long`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from fixtures.browsers import CHROMIUM, FLAGS, MISSING

from fas_core.evaluation.comparison import compare

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]

PAPER = 688
"""A4 without its margins of 14 mm, in CSS pixels."""

MEASURE = r"""
const faults = frame => {
  const page = frame.contentDocument, width = page.documentElement.clientWidth, found = [];
  const name = element => element.closest("[aria-labelledby], li")?.textContent.trim().slice(0, 40);
  for (const element of page.querySelectorAll(".scroll, .faces li, .faces .images, .faces .images > div"))
    if (element.scrollWidth > element.clientWidth + 1) found.push("scrolls sideways: " + name(element));
  for (const cell of page.querySelectorAll("th, td")) {
    const box = cell.getBoundingClientRect();
    if (box.right > width + 1 || box.left < 0) found.push("cut off: " + cell.textContent);
  }
  for (const text of page.querySelectorAll(".faces p.quiet")) {
    const walker = page.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
      for (const match of walker.currentNode.data.matchAll(/[^\/\s]+\/?/g)) {
        const range = page.createRange();
        range.setStart(walker.currentNode, match.index);
        range.setEnd(walker.currentNode, match.index + match[0].length);
        if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1)
          found.push("broken inside a word: " + match[0]);
      }
  }
  if (page.documentElement.scrollWidth > width + 1) found.push("the page scrolls sideways");
  return [...new Set(found)];
};
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(faults);
  document.body.innerHTML = "";
  document.body.append("MEASURED" + JSON.stringify(found) + "MEASURED");
});
"""


def find_faults(page: str, folder: Path, *widths: int, paper: bool = False) -> list[list[str]]:
    """Return the faults of a page at each width, on a screen or, as if it were printed, on paper."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    if paper:
        page = page.replace("@media print", "@media all").replace("@media screen", "@media not all")
    frames = "".join(
        f'<iframe width="{width}" height="900" style="border: 0" srcdoc="{escape(page)}"></iframe>'
        for width in widths
    )
    file = folder / "measure.html"
    file.write_text(f"<!DOCTYPE html><body>{frames}<script>{MEASURE}</script>", encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300, check=True)
    found: list[list[str]] = json.loads(unescape(done.stdout.split("MEASURED")[1]))
    return found


@pytest.fixture(scope="module")
def page(
    make_run: Callable[..., Path],
    evaluate: Any,
    render_page: Any,
    metrics: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A report of two runs with long names, whose photos lie deep in folders."""
    folder = tmp_path_factory.mktemp("runs")
    names = ("a-first-run-with-a-name-that-is-longer-than-most-tables", "second")
    systems = []
    for number, name in enumerate(names):
        (system,) = evaluate(make_run(folder / name, seed=number))
        systems.append(evolve(system, name=name))
    html: str = render_page(systems, compare(systems, metrics, 20), worst=4)
    return re.sub(
        r'(<p class="quiet">)test/<wbr>', r"\1Photos/<wbr>of_somebody/<wbr>S0006/<wbr>print.rssdk/<wbr>", html
    )


def test_nothing_is_cut_off_on_phones_and_desks(page: str, tmp_path: Path) -> None:
    assert find_faults(page, tmp_path, 320, 375, 600, 800, 1280) == [[], [], [], [], []]


def test_nothing_is_cut_off_on_paper(page: str, tmp_path: Path) -> None:
    assert find_faults(page, tmp_path, PAPER, paper=True) == [[]]


@pytest.mark.parametrize(
    ("old", "new", "fault", "width"),
    [
        ("<wbr>", "", "broken inside a word: ", 320),
        (' wide"', '"', "cut off: ", 375),
        ("flex-wrap: wrap; gap: .35rem", "min-width: 60rem", "scrolls sideways: ", 1280),
    ],
)
def test_each_fault_would_be_seen(
    page: str, tmp_path: Path, old: str, new: str, fault: str, width: int
) -> None:
    assert old in page
    (found,) = find_faults(page.replace(old, new), tmp_path, width)
    assert any(line.startswith(fault) for line in found), found
