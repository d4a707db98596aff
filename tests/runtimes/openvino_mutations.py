"""Program of `test_openvino_graph.py`: open mutations of an OpenVINO model; print the faults, a line each.

    python openvino_mutations.py FOLDER COUNT

In a process of its own, because the reader's children are forked, where the threads of a core that the
process has used before do not live on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from faults.mutation import mutations, run_reader

from fas_core.library_settings import import_openvino
from fas_core.runtime.engines import open_engine


def main(folder: Path, number: int) -> None:
    openvino = import_openvino("a test")
    ops = openvino.opset13
    x = ops.parameter([-1, 4], np.float32, name="x")
    model = openvino.Model([ops.tile(ops.relu(x), np.array([1, 2]))], [x], "m")
    model.outputs[0].set_names({"y"})
    path, mutation = folder / "model.xml", folder / "mutation.xml"
    openvino.save_model(model, path)
    weights = path.with_suffix(".bin").read_bytes()

    def read(data: bytes) -> object:
        mutation.write_bytes(data)
        mutation.with_suffix(".bin").write_bytes(weights)
        return open_engine(mutation, threads=1)

    for fault in run_reader(read, mutations([path.read_bytes()], number)):
        print(fault)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
