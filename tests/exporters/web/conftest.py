"""A stand-in for onnxruntime-web, whose models give the mean brightness of their images."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import pytest
from fixtures.web_pages import Site, serving

from fas_plugins.exporters.web.runtime_files import FILES, PACKAGE

STAND_IN = """
export const env = { wasm: {} };
export class Tensor {
  constructor(type, data, dims) {
    Object.assign(this, { type, data, dims });
  }
}
async function run(feeds) {
  const images = Object.values(feeds).filter(tensor => tensor.type === "uint8" && tensor.data.some(Boolean));
  const values = images.flatMap(tensor => [...tensor.data]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length / 255;
  return { score: { data: [mean] }, novelty: { data: [10 * mean] } };
}
export const InferenceSession = {
  async create(content) {
    if (content.byteLength < 1000) throw new Error("no model");
    return { run };
  },
};
"""


def write_package(folder: Path, version: str = PACKAGE.version) -> Path:
    """Write a package of the layout of onnxruntime-web's."""
    (folder / "dist").mkdir(parents=True)
    for name in FILES.values():
        (folder / "dist" / name).write_text(f"// {name}\n")
    (folder / "dist" / FILES["ort.wasm.min.js"]).write_text(STAND_IN)
    (folder / "package.json").write_text(json.dumps({"name": PACKAGE.name, "version": version}))
    return folder


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stand-in for the npm package."""
    return write_package(tmp_path_factory.mktemp("npm") / "package")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], Site]]:
    """`serve(folder)`: a copy of an exported folder on a server."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(serving(folder, Path(mkdtemp(dir=tmp_path)) / "site"))
