"""Telemetry of libraries is off before they are imported."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SETTINGS = ("ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED")


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """Return what a fresh process prints on both streams."""
    variables = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=variables | environment,
    )
    return done.stdout + done.stderr


SHOW = "print(os.environ['ORT_DISABLE_TELEMETRY'])"


def test_onnxruntime() -> None:
    assert run_python(f"import os, fas_core; {SHOW}") == "1\n"
    assert run_python(f"import os, fas_core, onnxruntime; {SHOW}") == "1\n"


def test_ray() -> None:
    assert run_python("import os, fas_core; print(os.environ['RAY_USAGE_STATS_ENABLED'])") == "0\n"


def test_a_value_of_the_user_stays() -> None:
    assert run_python(f"import os, fas_core; {SHOW}", ORT_DISABLE_TELEMETRY="0") == "0\n"


def test_an_application_that_imports_onnxruntime_first_is_warned() -> None:
    code = "import sys, types; sys.modules['onnxruntime'] = types.ModuleType('onnxruntime'); import fas_core"
    assert "UserWarning: onnxruntime was imported before fas_core" in run_python(code)
    assert run_python(code, ORT_DISABLE_TELEMETRY="1") == ""


needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="the extra openvino is not installed"
)


@needs_openvino
def test_openvino() -> None:
    code = (
        "import sys\nfrom fas_core.library_settings import import_openvino\n"
        "assert import_openvino('a test') is sys.modules['openvino']\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
        "import_openvino('again')"
    )
    assert run_python(code) == ""


SIGNAL_AFTER_MODELS = """
import gc, signal, sys
from pathlib import Path
import numpy as np
from fas_core.library_settings import import_openvino
from fas_core.runtime.engines import open_engine

openvino = import_openvino("a test")
x = openvino.opset13.parameter([1, 4], np.float32, name="x")
path = Path(sys.argv[1])
openvino.save_model(openvino.Model([openvino.opset13.relu(x)], [x], "m"), path)
first, second = open_engine(path), open_engine(path)
del first
gc.collect()
del second
gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
signal.raise_signal(signal.SIGTERM)
"""


@needs_openvino
def test_signals_are_handled_after_models_of_openvino_are_closed(tmp_path: Path) -> None:
    """In the order in which they were opened, which ended the process by SIGSEGV with a core for each."""
    assert run_python(SIGNAL_AFTER_MODELS, str(tmp_path / "model.xml")) == "handled\n"


@needs_openvino
def test_an_application_that_imports_openvino_first_is_warned() -> None:
    code = (
        "import sys, types\n"
        "for name in ('openvino', 'openvino_telemetry'): sys.modules[name] = types.ModuleType(name)\n"
        "from fas_core.library_settings import import_openvino; import_openvino('a test')"
    )
    assert "UserWarning: openvino was imported before fas_core" in run_python(code)


def test_openvino_that_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['openvino'] = None\n"
        "from fas_core.library_settings import import_openvino\n"
        "try: import_openvino('model.xml')\nexcept Exception as error: print(error)"
    )
    assert run_python(code) == "model.xml: needs openvino: pip install 'fas-core[openvino]'\n"
