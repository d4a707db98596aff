"""OpenVINO files of strangers: refused before the engine reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.counts import count

from fas_core import ModelError
from fas_plugins.runtimes.openvino_graph import check_openvino

CONST = '<layer id="0" type="Const"><data element_type="i64" offset="{}" size="{}"/></layer>'
EDGES = '<edges><edge from-layer="0" to-layer="1"/></edges>'
GRAPH = '<net><layers>{}<layer id="1" type="{}"/></layers>' + EDGES + "</net>"


def write(folder: Path, text: str) -> Path:
    path = folder / "model.xml"
    path.write_text(text)
    path.with_suffix(".bin").write_bytes(np.array([1 << 20, 1 << 20, 2, 2]).tobytes())
    return path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GRAPH.format(CONST.format(0, 16), "Broadcast"), "Broadcast to more than 134 million values"),
        (GRAPH.format(CONST.format(0, 16), "Tile"), "Tile to more than 134 million values"),
        (GRAPH.format(CONST.format(0, 16), "Loop"), "Loop, which may never end"),
        (GRAPH.format(CONST.format(16, 32), "Add"), "its weights go beyond model.bin"),
        (GRAPH.format(CONST.format(-8, 8), "Add"), "its weights go beyond model.bin"),
        (GRAPH.format(CONST.format("x", 8), "Add"), "damaged or another kind of file"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><net>&b;</net>', "it defines a document type"),
        ("<a>" * 10, "damaged or another kind of file"),
        ('<?xml version="1.0" encoding="none"?><net/>', "damaged or another kind of file"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    count("bombs")
    with pytest.raises(ModelError, match=f"model.xml: .*{reason}") as caught:
        check_openvino(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_what_models_have_is_not_refused(tmp_path: Path) -> None:
    check_openvino(write(tmp_path, GRAPH.format(CONST.format(16, 16), "Broadcast")))


def test_mutations(openvino: Any, tmp_path: Path) -> None:
    ops = openvino.opset13
    x = ops.parameter([-1, 4], np.float32, name="x")
    model = openvino.Model([ops.tile(ops.relu(x), np.array([1, 2]))], [x], "m")
    model.outputs[0].set_names({"y"})
    openvino.save_model(model, tmp_path / "model.xml")
    program = Path(__file__).with_name("openvino_mutations.py")
    done = subprocess.run(
        [sys.executable, program, tmp_path, "100"],
        env={**os.environ, "PYTHONPATH": str(program.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    count("mutations", 100)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
