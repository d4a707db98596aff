"""`fas serve` as a program: its output, its exit codes and its errors."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import Result

for name in ("starlette", "uvicorn", "python_multipart"):
    pytest.importorskip(name, reason="the extra `serve` is not installed")

Fas = Callable[..., Result]
MeanModel = Callable[..., Path]


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """`start(*arguments)`: the process and the line that it prints first."""
    running = []

    def run(*arguments: object) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", "import fas_core.cli; fas_core.cli.main()", "serve"]
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
        )
        running.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline()

    yield run
    for process in running:
        process.kill()
        process.communicate()


def test_it_prints_its_address_and_answers_until_interrupted(start: Any, mean_model: MeanModel) -> None:
    model = mean_model()
    process, line = start(model, "--no-detect", "--port", 0)
    match = re.fullmatch(rf"{re.escape(str(model))} at (http://127\.0\.0\.1:\d+) \(Ctrl-C ends it\)\n", line)
    assert match
    with urlopen(f"{match[1]}/v1/model", timeout=20) as answer:
        assert json.load(answer)["file"] == model.name
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=20)
    assert (process.returncode, *rest) == (0, "", "")


def test_settings_reach_the_service(start: Any, mean_model: MeanModel) -> None:
    settings = ("--threshold", "fixed:0.25", "--max-bytes", 1000, "--max-pixels", 99, "--concurrency", 3)
    process, line = start(mean_model(threshold=None), "--port", 0, "--timeout", 2.5, "--no-detect", *settings)
    url = line.split()[2]
    with urlopen(f"{url}/v1/model", timeout=20) as answer:
        model = json.load(answer)
    assert (model["threshold"], model["policy"]) == (0.25, "fixed:0.25")
    assert (model["max_bytes"], model["max_pixels"]) == (1000, 99)
    with urlopen(f"{url}/healthz", timeout=20) as answer:
        assert json.load(answer)["concurrency"] == 3
    with urlopen(f"{url}/openapi.json", timeout=20) as answer:
        assert "2.5 s, 3 requests" in json.load(answer)["paths"]["/v1/score"]["post"]["description"]
    process.terminate()
    assert process.communicate(timeout=20) == ("", "")


def test_a_public_address_gets_a_warning(start: Any, mean_model: MeanModel) -> None:
    process, line = start(mean_model(), "--host", "0.0.0.0", "--port", 0)
    assert "http://localhost:" in line
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert stderr == "warning: 0.0.0.0: other machines can reach the service, and it has no authentication\n"
    assert process.returncode == 0


def assert_error_line(result: Result, *texts: str) -> None:
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    for text in texts:
        assert text in result.stderr


def test_a_port_in_use(fas: Fas, mean_model: MeanModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_error_line(
            fas("serve", mean_model(), "--port", port), f"port {port}", "Address already in use"
        )


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_a_host_that_is_not_this_machine(fas: Fas, mean_model: MeanModel, host: str) -> None:
    assert_error_line(fas("serve", mean_model(), "--host", host, "--port", 0), host)


def test_unusable_models_thresholds_and_detectors(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    assert_error_line(fas("serve", tmp_path / "none.onnx"), "none.onnx", "no such model file")
    assert_error_line(fas("serve", tmp_path / "text.onnx"), "text.onnx", "damaged")
    assert_error_line(fas("serve", mean_model(threshold=None)), "no threshold goes with it")
    assert_error_line(fas("serve", mean_model(), "--threshold", "eer"), "eer")
    assert_error_line(fas("serve", mean_model(), "--detector", tmp_path / "none.onnx"), "no such detector")


def test_a_missing_extra(fas: Fas, mean_model: MeanModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None if name == "uvicorn" else object())
    assert_error_line(fas("serve", mean_model()), "uvicorn", "pip install 'fas-core[serve]'")


def test_the_option_defaults_equal_those_of_the_classes(fas: Fas) -> None:
    from fas_plugins.commands.serve.command import command
    from fas_plugins.commands.serve.limits import Limits

    defaults = {option.name: option.default for option in command.params}
    limits = Limits()
    for name in ("max_bytes", "max_pixels", "timeout", "concurrency"):
        assert defaults[name] == getattr(limits, name)


def test_help_imports_no_framework() -> None:
    script = (
        "import sys, fas_plugins.commands.serve.command\n"
        "assert not {'starlette', 'uvicorn', 'cv2', 'onnxruntime', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
