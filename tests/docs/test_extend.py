"""`docs/extend/`: a page for each kind of component, whose examples are files and whose commands run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.code_blocks import ROOT, Block, extend_pages, read_blocks

from fas_core.descriptors import KINDS

KIND_PAGES = [page for page in extend_pages() if not page.endswith("/tutorial.md")]
BLOCKS = [block for page in KIND_PAGES for block in read_blocks(page)]


def test_every_kind_has_a_page_in_the_navigation_and_in_the_table() -> None:
    assert sorted(f"docs/extend/{kind}.md" for kind in KINDS) == KIND_PAGES
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    (section,) = [section["Extend"] for section in navigation if "Extend" in section]
    pages = [page for entry in section for page in entry.values()]
    assert {page.removeprefix("docs/") for page in extend_pages()} <= set(pages)
    entry = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    for kind, descriptor in KINDS.items():
        assert f"| [{kind}](extend/{kind}.md) | `{descriptor.hook}` | " in entry


@pytest.mark.parametrize("page", KIND_PAGES)
def test_a_page_shows_how_to_check_a_component(page: str) -> None:
    assert "fas plugins check" in (ROOT / page).read_text(encoding="utf-8").partition("\n## Check it\n")[2]


@pytest.mark.parametrize("page", KIND_PAGES)
def test_a_page_s_programs_are_parts_of_files(page: str) -> None:
    blocks = read_blocks(page)
    assert any(block.file_name for block in blocks)
    for block in blocks:
        if block.language != "sh":
            text = (ROOT / block.file_name).read_text(encoding="utf-8")
            assert block.file_name.startswith("examples/")
            assert f"\n{block.text}" in f"\n{text}", f"{page}:{block.line} is not in {block.file_name}"


@pytest.mark.long
@pytest.mark.parametrize(
    "block",
    [pytest.param(block, id=f"{block.page}:{block.line}") for block in BLOCKS if block.language == "sh"],
)
def test_commands_run(block: Block, example_environment: Any, tmp_path: Path) -> None:
    commands = example_environment.path / "bin"
    script = f"cd {tmp_path}; export PATH={commands}:$PATH; {block.text}"
    example_environment.run("bash", "-euo", "pipefail", "-c", script)
