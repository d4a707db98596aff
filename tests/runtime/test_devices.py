"""The device that a model file runs on: the first that is named and here, and never another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from click.testing import Result
from fixtures.strangers import Here, hooks

from fas_core import ConfigError, PluginError
from fas_core.errors import DeviceError
from fas_core.runtime import Predictor
from fas_core.runtime.devices import parse_devices
from fas_core.runtime.engines import open_engine_on
from fas_plugins.runtimes import onnx

MEAN = """
from fas_core.errors import DeviceError
class Mean:
    metadata, inputs, outputs = None, ("rgb",), ("score",)
    def __init__(self, options, path, threads, device="none given"):
        if device == "lame":
            raise DeviceError("lame does not start: no driver")
        self.device = device
    def run(self, names, inputs):
        return [inputs["rgb"].mean((1, 2, 3)) / 255 for _ in names]
def devices():
    return {devices!r}
"""


def install(here: Here, devices: object = ("cpu", "npu", "lame"), named: bool = True) -> None:
    field = ', devices="acme_fas:devices"' if named else ""
    runtime = f'Runtime(name="mean", summary="", target="acme_fas:Mean", suffixes=(".mean",){field})'
    here.install("acme-fas", hooks(runtimes=runtime) + MEAN.replace("{devices!r}", repr(devices)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.mean").touch()
    return tmp_path / "model.mean"


@pytest.mark.parametrize(
    ("wanted", "given"), [(None, "cpu"), ("cpu", "cpu"), ("NPU", "npu"), ("cuda, npu,cpu", "npu")]
)
def test_the_first_device_that_is_here(here: Here, file: Path, wanted: str | None, given: str) -> None:
    install(here)
    engine, name = open_engine_on(wanted, file)
    assert (engine.device, name) == (given, given)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("wanted", "problems"),
    [("cuda", "cuda is not here"), ("tpu,lame", "tpu is not here; lame does not start: no driver")],
)
def test_no_other_device_is_taken(here: Here, file: Path, wanted: str, problems: str) -> None:
    install(here)
    with pytest.raises(DeviceError) as caught:
        open_engine_on(wanted, file)
    assert caught.value.message == f"{file}: --device {wanted}: {problems}: mean has cpu, npu, lame"


def test_a_warning_says_why_another_was_taken(
    here: Here, file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    install(here)
    assert open_engine_on("lame,cpu", file)[1] == "cpu"
    assert "runs on cpu: lame does not start: no driver" in " ".join(capfd.readouterr().err.split())


def test_a_runtime_that_names_no_devices_is_called_as_ever(here: Here, file: Path) -> None:
    install(here, named=False)
    engine, name = open_engine_on(None, file)
    assert (engine.device, name) == ("none given", "cpu")  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match=r"npu is not here: mean has cpu$"):
        open_engine_on("npu", file)


@pytest.mark.parametrize("devices", [(), ("CPU",), (7,)])
def test_devices_that_are_no_names_are_the_plugins_fault(here: Here, file: Path, devices: object) -> None:
    install(here, devices)
    with pytest.raises(PluginError, match=r"acme-fas 1\.5: its devices are no names in lower case"):
        open_engine_on(None, file)


@pytest.mark.parametrize("text", ["", "cuda,", ",", " "])
def test_names_that_are_empty(text: str) -> None:
    with pytest.raises(ConfigError, match="give a device, or several in the order to try"):
        parse_devices(text)


def test_onnx_has_the_execution_providers_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    built = ["CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built)
    assert set(onnx.list_devices()) == {"cpu", "cuda", "gpu"}
    assert onnx.list_providers()["gpu"] == "CUDAExecutionProvider"


def test_onnx_does_not_turn_to_the_cpu_on_its_own(
    mean_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build lists a provider that does not start, as one for GPUs does on a machine without one."""
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    with pytest.raises(DeviceError, match=r"cuda .*: onnx has cpu, cuda, gpu"):
        Predictor(mean_model(), device="cuda")
    predictor = Predictor(mean_model(), device="cuda,cpu", detect=False)
    assert predictor.model.device == "cpu"
    assert predictor(rgb=np.full((8, 8, 3), 51, np.uint8)).score == pytest.approx(0.2)


def test_predict_takes_a_device(
    mean_model: Callable[..., Path], tmp_path: Path, fas: Callable[..., Result]
) -> None:
    model, face = mean_model(), tmp_path / "face.png"
    assert cv2.imwrite(str(face), np.full((8, 8, 3), 204, np.uint8))
    done = fas("predict", model, face, "--no-detect", "--device", "no_such,cpu", "--json")
    assert json.loads(done.stdout)["device"] == "cpu"
    assert "runs on cpu: no_such is not here" in " ".join(done.stderr.split())
    done = fas("predict", model, face, "--device", "no_such")
    assert done.exit_code == 2
    assert f"{model}: --device no_such: no_such is not here: onnx has cpu" in " ".join(done.stderr.split())
