"""The page's script in headless Chromium, under the page's own policy: tables that a click sorts."""

from __future__ import annotations

import json
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from fixtures.browsers import CHROMIUM, FLAGS, MISSING

from fas_core.text_table import Styled, Table
from fas_plugins.commands.report.html import Plot
from fas_plugins.commands.report.systems import EvaluatedSystem

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]

CLICK = """
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  const table = page.querySelector("#summary table"), found = [];
  const names = () => [...table.tBodies[0].rows].map(row => row.cells[0].textContent.trim());
  const sorts = () => [...table.tHead.rows[0].cells].map(head => head.getAttribute("aria-sort"));
  const click = column => {
    table.tHead.rows[0].cells[column].querySelector("button").click();
    found.push([names(), sorts()]);
  };
  [1, 1, 2].forEach(click);
  const photo = page.querySelector(".faces details");
  photo.querySelector("summary").click();
  found.push(photo.open);
  document.body.innerHTML = "";
  document.body.append("MEASURED" + JSON.stringify(found) + "MEASURED");
});
"""


def test_a_click_sorts_and_limits_stay_below_their_row(
    system: EvaluatedSystem, plots: list[Plot], render_page: Any, tmp_path: Path
) -> None:
    html = render_page([system], plots=plots)
    rows = []
    for name, rate, species in (("b", "10.00", "print"), ("a", "9.50", "mask"), ("c", "-", "replay")):
        rows += [(name, rate, species), (Styled("  to", "dim"), Styled(f"1{rate}", "dim"), Styled("", "dim"))]
    table = render_table(Table("T", ("", "BPCER", "of"), rows))
    start = html.index("<div", html.index('<div class="tables">') + 5)
    html = html[:start] + table + html[start:]
    file = tmp_path / "click.html"
    frame = f'<iframe width="1000" height="900" srcdoc="{escape(html)}"></iframe>'
    file.write_text(f"<!DOCTYPE html><body>{frame}<script>{CLICK}</script>", encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300, check=True)
    rising, falling, by_species, is_open = json.loads(unescape(done.stdout.split("MEASURED")[1]))
    # Numbers as numbers: 9.50 is below 10.00, and a dash is least.
    assert rising == [["c", "to", "a", "to", "b", "to"], [None, "ascending", None]]
    assert falling == [["b", "to", "a", "to", "c", "to"], [None, "descending", None]]
    assert by_species == [["a", "to", "b", "to", "c", "to"], [None, None, "ascending"]]
    assert is_open


def render_table(table: Table) -> str:
    """Return the table as the page has it."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("fas_plugins.commands.report.html"), autoescape=True)
    return str(environment.get_template("macros.html.j2").module.draw_table(table, "sorted"))
