"""The tests of components import what plugins may: docs/api.md promises it, so that authors can do the same.

Commands are exempt: they are parts of the program, and use its modules as the core does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import fas_core
from fas_core import contracts, testing

PROMISED = {
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
        ("import os\nimport fas_core.registry as plugins", ["2: fas_core.registry"]),
        ("from fas_core import registry", ["1: fas_core.registry"]),
        ("from fas_core.testing import check_loss, rules", ["1: fas_core.testing.rules"]),
        ("def test():\n    from fas_core.errors import FasError", ["2: fas_core.errors.FasError"]),
    ],
)
def test_an_import_of_anything_else_is_found(source: str, unpromised: list[str]) -> None:
    assert list_unpromised(source) == unpromised
