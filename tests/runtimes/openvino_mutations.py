"""Program of `test_openvino_graph.py`: open mutations of FOLDER/model.xml; print the faults, a line each.

    python openvino_mutations.py FOLDER COUNT

In a process of its own, because the reader's children are forked, where the threads of a core that the
process has used before do not live on.
"""

from __future__ import annotations

import sys
from pathlib import Path

from faults.mutation import mutations, run_reader

from fas_core import NoOptions
from fas_plugins.runtimes.openvino import OpenVinoEngine


def main(folder: Path, number: int) -> None:
    path, mutation = folder / "model.xml", folder / "mutation.xml"
    weights = path.with_suffix(".bin").read_bytes()

    def read(data: bytes) -> object:
        mutation.write_bytes(data)
        mutation.with_suffix(".bin").write_bytes(weights)
        return OpenVinoEngine(NoOptions(), mutation, threads=1)

    for fault in run_reader(read, mutations([path.read_bytes()], number)):
        print(fault)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
