"""`fas card`: the block of metadata, the facts of the report, and that texts of users stay text."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from fas_core.text_table import Table
from fas_plugins.commands.report.card import MARK, escape_markdown, format_markdown

Fas = Callable[..., Result]
FEW = ("--replicates", "5")


def read_block(card: Path) -> tuple[dict[str, Any], str]:
    """Return the metadata and the text of a card, as the Hub divides them."""
    start, block, text = card.read_text(encoding="utf-8").split("---\n", 2)
    assert start == ""
    return yaml.safe_load(block), text


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    path = tmp_path / "my_run"
    shutil.copytree(trained, path, ignore=shutil.ignore_patterns("*.safetensors", "*.pt"))
    return path


def test_the_metadata_are_what_the_hub_reads(fas: Fas, run: Path) -> None:
    result = fas("card", run, "--license", "apache-2.0", "--json", *FEW)
    assert result.exit_code == 0, result.output
    block, text = read_block(run / "README.md")
    assert block == json.loads(result.stdout)["metadata"]
    assert block["license"] == "apache-2.0"
    assert block["library_name"] == "fas"
    assert {"face-anti-spoofing", "rgb", "feathernet_a"} <= set(block["tags"])
    (entry,) = block["model-index"]
    (results,) = entry["results"]
    assert entry["name"] == "my_run"
    assert results["task"]["type"] == "image-classification"
    assert results["dataset"] == {"name": "folder", "type": "folder", "split": "test"}
    stored = json.loads((run / "results.json").read_text())["splits"]["test"]["metrics"]
    figures = {item["type"]: item["value"] for item in results["metrics"]}
    assert figures == {key: pytest.approx(value) for key, value in stored.items() if value is not None}
    assert next(iter(figures)) == "apcer_max"
    assert list(figures) == block["metrics"]
    assert text.startswith(f"{MARK}\n\n# my\\_run\n")


def test_the_text_has_the_facts_of_the_report(fas: Fas, run: Path, tmp_path: Path) -> None:
    options = ("--target", "apcer_max<=0.05", "--group-by", "species", *FEW)
    card = tmp_path / "card.md"
    assert fas("card", run, "-o", card, "--name", "Gate <2>", *options).exit_code == 0
    _, text = read_block(card)
    for part in (
        "# Gate \\<2\\>",
        "## Intended use",
        "## How good it is, on the split test",
        "- **Judged on.** ",
        "- **Lets pass.** Of the worst kind of attack, ",
        "- **Refuses.** It refuses ",
        "- **Target ",
        "APCER worst at most 5 %: ",
        "## Differences between groups",
        "No person or sample is in two splits.",
        "```yaml\nformat: ",
        "fas predict ",
    ):
        assert part in text, part
    assert "Simulated" not in text
    # Each table has as many cells in every row as in its head.
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 4
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_a_file_of_others_is_not_replaced(fas: Fas, run: Path) -> None:
    (run / "README.md").write_text("my own notes\n")
    result = fas("card", run, *FEW)
    assert result.exit_code == 2
    assert "`fas card` did not write it" in result.stderr
    assert (run / "README.md").read_text() == "my own notes\n"
    (run / "README.md").unlink()
    result = fas("card", run, *FEW)
    assert result.exit_code == 0, result.output
    assert "license of the model is unknown" in result.stderr


def test_only_a_run_has_a_card(fas: Fas, run: Path, faces: Path) -> None:
    for path, message in (
        (run / "scores" / "test.csv", "a model card is of a run"),
        (faces, "not a run folder"),
        (run.parent / "gone", "a model card is of a run"),
    ):
        result = fas("card", path, *FEW)
        assert result.exit_code == 2
        assert message in result.stderr


def test_markdown_is_escaped() -> None:
    assert escape_markdown("a_b|c <i> `x`\ny") == "a\\_b\\|c \\<i\\> \\`x\\` y"
    table = Table("T", ("", "two\nlines"), [("a|b", "1")], "a note\nanother")
    assert format_markdown(table) == (
        "**T**\n\n|   | two lines |\n| :-- | --: |\n| a\\|b | 1 |\n\na note\\\nanother"
    )


def test_it_needs_neither_torch_nor_what_draws_reports(run: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'matplotlib', 'jinja2', 'sklearn'): sys.modules[name] = None\n"
        "from fas_core.cli import main\n"
        f"main(['card', {str(run)!r}, '-o', {str(tmp_path / 'card.md')!r}, '--replicates', '5'])"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (tmp_path / "card.md").is_file()
