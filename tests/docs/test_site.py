"""The site without mkdocs: its navigation, links and anchors, commands as a shell takes them, figures.

`tox -e docs` builds it, strictly.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from fixtures.code_blocks import ROOT
from generate import write_pages
from generate.figures import FOLDER, draw_figures

from fas_core.cli import main
from fas_core.descriptors import KINDS

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
BREAKS = re.compile(r"[\w.]=[^\s`]*[\[*?]|\w(<=?|>=|>(?=\d))[\w.]|[\w)-]\[\w[^\s`]*\]")
"""What a shell takes for a pattern or a redirection: `modalities=[rgb]`, `apcer<=0.05`, `fas-core[serve]`."""
COMMAND = re.compile(r"^(fas|pip|python) |^--\w")


@pytest.fixture(scope="module")
def generated() -> Mapping[str, str]:
    return write_pages()


@pytest.fixture(scope="module")
def pages(generated: Mapping[str, str]) -> Mapping[str, str]:
    """Every page of the site by its path below `docs/`, and the repository's own by theirs."""
    files = {
        path.relative_to(ROOT / "docs").as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "docs").rglob("*.md"))
    }
    return {**files, **generated}


@pytest.fixture(scope="module")
def navigation() -> list[Any]:
    return list(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])


def list_pages(entries: Any) -> Iterator[str]:
    if isinstance(entries, str):
        yield entries
    else:
        for entry in entries.values() if isinstance(entries, dict) else entries:
            yield from list_pages(entry)


def make_anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as Python-Markdown's `toc` makes them."""
    anchors: set[str] = set()
    for _, title in HEADING.findall(FENCE.sub("", text)):
        words = LINK.sub("]", title).replace("[", "").replace("]", "").replace("`", "")
        ascii_words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
        slug = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_words).strip().lower())
        number = 0
        while (anchor := f"{slug}_{number}" if number else slug) in anchors:
            number += 1
        anchors.add(anchor)
    return anchors


def test_every_page_is_in_the_navigation(pages: Mapping[str, str], navigation: list[Any]) -> None:
    listed = list(list_pages(navigation))
    assert len(listed) == len(set(listed))
    commands = {page for page in pages if page.startswith("reference/commands/")}  # docs/hooks.py adds them
    decisions = {page for page in pages if page.startswith("decisions/")}
    assert set(listed) | commands == set(pages) - decisions


def test_the_start_page_names_every_page(pages: Mapping[str, str], navigation: list[Any]) -> None:
    linked = {link for link in LINK.findall(pages["index.md"]) if link.endswith(".md")}
    kinds = {f"extend/{kind}.md" for kind in KINDS}
    assert linked == set(list_pages(navigation)) - kinds - {"index.md"}


def test_the_list_of_decisions_has_each_once(pages: Mapping[str, str]) -> None:
    linked = re.findall(r"^- \[(.+)\]\((decisions/[\w-]+\.md)\)$", pages["decisions.md"], re.MULTILINE)
    written = [page for page in pages if page.startswith("decisions/")]
    assert sorted(page for _, page in linked) == sorted(written)
    for title, page in linked:
        assert pages[page].startswith(f"# {title}\n\n")


def test_links_lead_to_pages_and_headings(pages: Mapping[str, str]) -> None:
    anchors = {page: make_anchors(text) for page, text in pages.items()}
    wrong = []
    for page, text in pages.items():
        for link in LINK.findall(CODE.sub("", FENCE.sub("", text))):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
            is_there = target in pages or (not target.endswith(".md") and (ROOT / "docs" / target).is_file())
            if not is_there or (anchor and anchor not in anchors.get(target, set())):
                wrong.append(f"{page}: {link}")
    assert wrong == []


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_of_the_repository_lead_somewhere(file: str) -> None:
    for link in LINK.findall((ROOT / file).read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if path and not re.match(r"[a-z]+:", path):
            assert (ROOT / path).exists(), f"{file}: {link}"
            if anchor:
                assert anchor in make_anchors((ROOT / path).read_text(encoding="utf-8")), f"{file}: {link}"


def test_commands_are_quoted_for_a_shell(pages: Mapping[str, str]) -> None:
    wrong = []
    texts = {**pages, "README.md": (ROOT / "README.md").read_text(encoding="utf-8")}
    for page, text in texts.items():
        blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        lines = [line.partition(" # ")[0] for block in blocks for line in block.splitlines()]
        spans = [span[1:-1] for span in CODE.findall(FENCE.sub("", text))]
        for command in (*lines, *filter(COMMAND.match, spans)):
            if BREAKS.search(QUOTED.sub("", command)) and not re.match(r"[\w_]+ \[|\[ |if \[", command):
                wrong.append(f"{page}: {command}")
    assert wrong == []


@pytest.mark.parametrize(
    ("command", "breaks"),
    [
        ("fas train --set modalities=[rgb]", True),
        ("fas train --set 'modalities=[rgb]'", False),
        ("fas score a.csv --threshold apcer<=0.05", True),
        ("fas runs list --filter 'eer<=5%' --filter train.lr>0.01", True),
        ("pip install fas-core[serve]", True),
        ('pip install ".[serve]"', False),
        ("fas train --set train.lr=0.02", False),
    ],
)
def test_what_breaks_in_a_shell(command: str, breaks: bool) -> None:
    assert bool(BREAKS.search(QUOTED.sub("", command))) is breaks


def test_no_command_takes_a_run_for_another_one(pages: Mapping[str, str]) -> None:
    """A training without `--name` gets the next free name, so the lines below cannot know it.

    The examples of a command's help are one each, not one after the other.
    """
    for page, text in pages.items():
        if page.startswith("reference/commands/"):
            continue
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            for recipe, flags in re.findall(
                r"^(?:fas train|fas tune)(?: ([\w.-]+))?((?: .*)?)$", block, re.MULTILINE
            ):
                if not re.search(r"--(name|resume) ", flags):
                    name = (recipe or "quickstart").removesuffix(".yaml")
                    assert not re.search(rf"\bruns/{name}(-tune)?\b", block), f"{page}: runs/{name}"


@pytest.mark.parametrize("command", ["train", "eval", "score", "tune", "runs list"])
def test_help_texts_are_quoted_for_a_shell(command: str) -> None:
    text = CliRunner().invoke(main, [*command.split(), "--help"], env={"COLUMNS": "200"}).output
    examples = re.findall(r"^.*\bfas [a-z]+ .*$", text, re.MULTILINE)
    broken = [line for line in examples if BREAKS.search(QUOTED.sub("", line))]
    assert [line for line in broken if "[OPTIONS]" not in line] == []


def test_figures_are_those_that_the_script_draws(pages: Mapping[str, str]) -> None:
    figures = draw_figures()
    assert sorted(path.stem for path in FOLDER.glob("*.svg")) == sorted(figures)
    for name, drawing in figures.items():
        hint = "PYTHONPATH=docs python -m generate.figures draws them anew"
        assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == drawing, hint
        assert any(f"](figures/{name}.svg)" in text for text in pages.values())


def test_the_glossary_is_a_sorted_list_of_terms(pages: Mapping[str, str]) -> None:
    terms = re.findall(r"^(\w.*)\n:   ", pages["understand/glossary.md"], re.MULTILINE)
    assert {"APCER", "Calibration", "Threshold"} <= set(terms)
    assert terms == sorted(terms, key=str.lower)
    assert pages["understand/glossary.md"].count("\n\n") == len(terms) + 1
