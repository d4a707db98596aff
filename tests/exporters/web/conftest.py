"""A stand-in for onnxruntime-web, whose models give the mean brightness of their images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import pytest
from fixtures.web_pages import Site, serving, write_package


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stand-in for the npm package."""
    return write_package(tmp_path_factory.mktemp("npm") / "package")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], Site]]:
    """`serve(folder)`: a copy of an exported folder on a server."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(serving(folder, Path(mkdtemp(dir=tmp_path)) / "site"))
