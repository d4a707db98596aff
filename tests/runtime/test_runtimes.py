"""Which runtime opens a file, what its failures cost, and which files must be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.strangers import Here, hooks

from fas_core import ModelError, PluginError
from fas_core.data.model_formats import find_runtime, list_model_files
from fas_core.runtime.engines import TRUSTED, open_engine

MEAN = """
import numpy as np
class Mean:
    metadata, inputs, outputs = None, ("rgb",), ("score",)
    def __init__(self, options, path, threads):
        self.path = path
    def run(self, names, inputs):
        return [inputs["rgb"].mean((1, 2, 3)) / 255 for _ in names]
"""


def mean_runtime(name: str = "mean", suffix: str = ".mean", **fields: object) -> str:
    further = "".join(f", {key}={value!r}" for key, value in fields.items())
    return f'Runtime(name="{name}", summary="", target="{{}}:Mean", suffixes=("{suffix}",){further})'


def install(here: Here, distribution: str, runtime: str, code: str = MEAN) -> None:
    module = distribution.replace("-", "_")
    here.install(distribution, hooks(runtimes=runtime.format(module)) + code)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.mean").touch()
    return tmp_path / "model.mean"


def test_a_plugins_runtime_opens_its_files(here: Here, file: Path) -> None:
    with pytest.raises(ModelError, match="not a model file: supported are"):
        open_engine(file)
    install(here, "bk-x", mean_runtime())
    (scores,) = open_engine(file).run(["score"], {"rgb": np.full((2, 4, 4, 3), 51, np.uint8)})
    np.testing.assert_allclose(scores, 0.2)


def test_the_longest_suffix_counts(here: Here, tmp_path: Path) -> None:
    install(here, "bk-x", mean_runtime("fast", ".fast.onnx"))
    names = [
        getattr(find_runtime(tmp_path / name), "name", None) for name in ("a.fast.ONNX", "a.onnx", "a.png")
    ]
    assert names == ["fast", "onnx", None]


def test_for_a_suffix_of_fas_core_its_own_runtime_stays(
    here: Here, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    install(here, "bk-x", mean_runtime("a-mean", ".onnx"))
    runtime = find_runtime(tmp_path / "model.onnx")
    assert runtime is not None
    assert runtime.name == "onnx"
    assert "runtime 'a-mean' of bk-x 1.5 and runtime 'onnx' of fas-core" in capfd.readouterr().err


def test_two_plugins_with_a_suffix_are_named(here: Here, file: Path) -> None:
    install(here, "bk-x", mean_runtime("one"))
    install(here, "bk-y", mean_runtime("two"))
    with pytest.raises(
        PluginError, match=r"runtime 'one' of bk-x 1\.5 and runtime 'two' of bk-y 1\.5: disable"
    ):
        open_engine(file)


def test_files_beside_a_model_belong_to_it(here: Here, file: Path) -> None:
    install(here, "bk-x", mean_runtime(beside=(".weights", ".more")))
    file.with_suffix(".weights").touch()
    assert list_model_files(file) == [file, file.with_suffix(".weights")]


@pytest.mark.parametrize("trusted", ["careful", "bk-x:careful", "torch, careful"])
def test_a_file_that_can_run_code_must_be_trusted(
    here: Here, file: Path, trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(here, "bk-x", mean_runtime("careful", runs_code=True))
    monkeypatch.setenv(TRUSTED, "torch,onnx")
    with pytest.raises(
        ModelError, match=r"not opened: such a file can run any code .* set FAS_TRUSTED_RUNTIMES=careful"
    ):
        open_engine(file)
    monkeypatch.setenv(TRUSTED, trusted)
    assert open_engine(file).outputs == ("score",)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "runtime 'mean' of bk-x 1.5: loading bk_x:Mean failed: AttributeError"),
        (MEAN.replace("self.path = path", "1 / 0"), "runtime 'mean' of bk-x 1.5 failed: ZeroDivisionError"),
        (
            MEAN.replace("def __init__(self, options, path, threads)", "def __init__(self)"),
            "failed: TypeError",
        ),
        (MEAN.replace('("rgb",)', '["rgb"]'), "whose inputs are no tuple of names"),
        (MEAN.replace('("score",)', "(3,)"), "whose outputs are no tuple of names"),
        (MEAN.replace("None,", "{},"), "whose metadata are neither text nor None"),
    ],
)
def test_what_a_runtime_does_wrong_is_a_line_that_names_it(
    here: Here, file: Path, code: str, message: str, mean_model: Any
) -> None:
    install(here, "bk-x", mean_runtime(), code)
    stderr = here.fas("predict", file, file.parent, "--no-detect", expected=2).stderr
    assert message in stderr
    assert stderr.startswith("error: ")
    assert stderr.count("\n") == 1
    assert find_runtime(mean_model()) is not None  # other files are as before
