"""Naming the functions of notebooks imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "accelerate", "onnx", "onnxruntime", "pandas", "sklearn", "matplotlib")


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import fas_core", (*HEAVY, "pyarrow", "cv2", "fas_core.api")),
        ("from fas_core import load_recipe, train, export", HEAVY),
        ("from fas_core import Run, evaluate", ("torch", "accelerate", "onnx", "pandas", "sklearn")),
    ],
)
def test_what_an_import_leaves_out(code: str, absent: tuple[str, ...]) -> None:
    program = f"import sys\n{code}\nsys.exit(', '.join(sys.modules.keys() & {set(absent)!r}) or None)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr


def test_the_names_of_functions_are_not_those_of_packages() -> None:
    import fas_core.exporting.export_run  # importing a module sets an attribute of its package

    assert callable(fas_core.export)
    assert callable(fas_core.train)
    assert callable(fas_core.evaluate)
