"""README.md, on a package index and beside the code: links, pictures, and who to cite."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from generate.pictures import COMMAND, FOLDER, write_scores

import fas_core
from fas_core.cli import main


def test_addresses_are_of_one_place(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Repository"]
    assert all(url.startswith(address) for url in project["urls"].values())
    citation = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == address
    assert citation["version"] == fas_core.__version__
    assert citation["license"] == project["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


@pytest.mark.usefixtures("all_replicates")
def test_the_picture_of_the_console_has_the_figures_that_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scores(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, list(COMMAND))
    assert result.exit_code == 0
    drawing = (FOLDER / "console.svg").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", drawing).replace("&#160;", " ").replace("&gt;", ">").split())
    table = result.stdout.partition("Errors, the worst species first\n")[2].partition("\nvendor: ")[0]
    rows = [line for line in table.splitlines() if line.startswith("vendor")]
    assert len(rows) == 5
    for row in rows:
        assert " ".join(row.split()) in text, "PYTHONPATH=docs python -m generate.pictures draws it anew"
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
