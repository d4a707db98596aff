"""The core names few components: what it does for one of ours it does for anyone's.

A component of fas-core is a plugin, so each place where the core writes its name, or the suffix of its files,
is a special case. Those below are left, and none is added: a default must be some component, and files are
told apart by their endings where no plugin is asked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fas_core.descriptors import Exporter
from fas_core.registry import registry
from fas_core.remembered_kinds import Runtime

SPECIAL_CASES = {
    # Defaults of recipes, of `fas export`, of the choice of a detector, of the fixtures for authors.
    "config/recipe.py": ["concat_linear", "feathernet_b", "focal", "synthetic"],
    "config/train.py": ["sgd", "step"],
    "api/export.py": ["onnx"],
    "cli/export.py": ["onnx"],
    "data/detectors.py": ["cascade", "centerface"],
    "pytest_plugin.py": ["feathernet_a", "single", "synthetic"],
    # Verdicts of a model that was trained on simulated faces come with a note.
    "runtime/model_notes.py": ["synthetic"],
    # The digest of a file is within it, where its format has a place for it.
    "digests.py": [".bin", ".onnx", ".pt2", ".pte", ".xml"],
    # Fetched models are ONNX files; `fas import` says of one that it needs no import.
    "data/fetched_models.py": [".onnx"],
    "runtime/public_model.py": [".onnx"],
    "models/file_format.py": [".onnx"],
}

KINDS = ("backbone", "fusion", "dataset", "loss", "optimizer", "schedule", "exporter", "runtime", "detector")
KINDS += ("augmentation", "tracker")
"""Not metrics: the names of figures are the columns of tables, of the core's own ones too."""

OTHERS = {"crop", "torch", "openvino", "accelerate"}
"""Names of something else, too: of a step of augmentation, and of packages."""


@pytest.fixture(scope="module")
def names() -> set[str]:
    """Names of our components, and suffixes of their files."""
    components = [item for record in registry().records for item in record.components]
    own = [item for item in components if item.provider and item.provider.is_core and item.kind in KINDS]
    suffixes = {
        suffix for item in own if isinstance(item, Runtime) for suffix in (*item.suffixes, *item.beside)
    }
    suffixes |= {item.suffix for item in own if isinstance(item, Exporter)}
    return ({item.name for item in own} | suffixes) - OTHERS - {""}


def list_texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts in a program but docstrings and names of packages, which `require` is called with."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require":
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        yield from list_texts(node)


@pytest.fixture(scope="module")
def texts(repository: Path) -> dict[str, set[str]]:
    """The texts in each program of the core."""
    core = repository / "fas_core"
    return {
        file.relative_to(core).as_posix(): set(list_texts(ast.parse(file.read_text(encoding="utf-8"))))
        for file in sorted(core.rglob("*.py"))
    }


def test_the_core_names_no_more_components(names: set[str], texts: dict[str, set[str]]) -> None:
    assert {"feathernet_a", "focal", "onnx", ".xml"} <= names
    found = {file: sorted(names & written) for file, written in texts.items()}
    assert {file: special for file, special in found.items() if special} == SPECIAL_CASES


def test_the_core_names_no_module_of_the_plugins(texts: dict[str, set[str]]) -> None:
    assert [text for written in texts.values() for text in written if "fas_plugins" in text] == []


def test_texts_of_a_program_are_found() -> None:
    lines = (
        '"""onnx"""',
        'require("train", "onnx")',
        'def choose(name="sgd"):',
        '    "focal"',
        '    return {".xml"}',
    )
    assert list(list_texts(ast.parse("\n".join(lines)))) == ["sgd", ".xml"]
