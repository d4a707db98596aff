"""Authors import what docs/api.md promises, and so do our examples and the tests of our components.

Our commands are exempt: they are parts of the program, and use its modules as the core does.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Template

import pytest
from fixtures.code_blocks import ROOT, extend_pages, pages, read_blocks

import fas_core
from fas_core import contracts, testing

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("## Further modules")[2]
FURTHER = {
    module: set(re.findall(r"`(\w+)`", names))
    for module, names in re.findall(r"^\| `(fas_core\.[\w.]+)` \| ([^|]*) \|", PAGE, re.MULTILINE)
}
PROMISED = FURTHER | {
    "fas_core": set(fas_core.__all__),
    "fas_core.contracts": set(contracts.__all__),
    "fas_core.testing": set(testing.__all__),
}


def list_unpromised(source: str) -> list[str]:
    """Return what a program imports from fas-core that is not promised, as `line: module.name`."""
    return [
        f"{line}: {module}.{name}" if name else f"{line}: {module}"
        for line, module, name in _list_imports(ast.parse(source))
        if module.partition(".")[0] == "fas_core" and name not in PROMISED.get(module, ())
    ]


def _list_imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name of each import, also of those within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, node.module, item.name) for item in node.names)
        elif isinstance(node, ast.Import):
            modules = (item.name for item in node.names if item.name not in PROMISED)
            yield from ((node.lineno, module, "") for module in modules)


def test_the_promised_names_of_further_modules_exist() -> None:
    assert FURTHER["fas_core.data.listing"] == {"list_files", "Listing", "describe_left_out"}
    assert FURTHER["fas_core.registry"] == {"registry", "Registry"}
    assert len(FURTHER) == 13
    for module, names in FURTHER.items():
        assert names
        for name in names:
            assert getattr(import_module(module), name).__doc__


def test_examples_templates_and_pages_import_what_is_promised(repository: Path) -> None:
    sources = {file: file.read_text() for file in sorted((repository / "examples").glob("fas-*/**/*.py"))}
    templates = repository / "plugins" / "commands" / "new_plugin" / "templates"
    words = defaultdict(lambda: "acme")
    for file in sorted(templates.rglob("*.py.tmpl")):
        sources[file] = Template(file.read_text()).substitute(words)
    for page in (*pages(), *extend_pages()):
        for block in read_blocks(page):
            if block.language == "python":
                sources[repository / page / str(block.line)] = block.text
    assert len(sources) > 100
    found = {str(file.relative_to(repository)): list_unpromised(text) for file, text in sources.items()}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_the_tests_of_components_import_what_is_promised(repository: Path) -> None:
    kinds = [path.name for path in (repository / "plugins").iterdir() if path.is_dir()]
    folders = [repository / "tests" / kind for kind in kinds if kind != "commands"]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    assert len(files) > 100
    found = {str(file.relative_to(repository)): list_unpromised(file.read_text()) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "unpromised"),
    [
        ("from fas_core import Fusion, NoOptions\nfrom fas_core.testing import tiny_model", []),
        ("from fas_core.contracts import Scorer\nimport fas_core, fas_core.testing", []),
        ("import fas_plugins.losses\nfrom fas_plugins.losses import focal", []),
        ("import os\nimport fas_core.errors as mistakes", ["2: fas_core.errors"]),
        ("from fas_core import registry", ["1: fas_core.registry"]),
        ("from fas_core.testing import check_loss, rules", ["1: fas_core.testing.rules"]),
        ("from fas_core.registry import registry, Registry\nfrom fas_core.atomic import replacing", []),
        ("from fas_core.registry import Required", ["1: fas_core.registry.Required"]),
        ("def test():\n    from fas_core.errors import FasError", ["2: fas_core.errors.FasError"]),
    ],
)
def test_an_import_of_anything_else_is_found(source: str, unpromised: list[str]) -> None:
    assert list_unpromised(source) == unpromised
