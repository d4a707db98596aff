"""`fas serve` as a program: its output, its exit codes and its errors."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from attrs import asdict
from click.testing import Result

for name in ("starlette", "uvicorn", "python_multipart"):
    pytest.importorskip(name, reason="the extra `serve` is not installed")

Fas = Callable[..., Result]
WHITE = np.full((20, 30, 3), 255, np.uint8)
MeanModel = Callable[..., Path]


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


def test_a_device_that_is_not_here_is_refused(fas: Fas, mean_model: MeanModel) -> None:
    result = fas("serve", model := mean_model(), "--port", 0, "--device", "no_such")
    problem = f"{model}: --device no_such: no_such is not here: onnx has cpu"
    assert (result.exit_code, problem in " ".join(result.stderr.split())) == (2, True)


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
    assert process.returncode == 0


def test_sigterm_answers_requests_in_flight_and_refuses_new_ones(
    start_client: Any, mean_model: MeanModel, form: Any
) -> None:
    process, client = start_client(mean_model(), "--no-detect", "--drain-delay", 1)
    body, headers = form([("rgb", WHITE)])
    connection = client.connect()
    connection.putrequest("POST", "/v1/score")
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body[:50])
    assert client.get("/ready").json == {"status": "ready"}
    process.terminate()
    readiness = []
    with suppress(ConnectionError):
        while True:
            readiness.append(client.get("/ready"))
            time.sleep(0.05)
    # It is not ready before its port closes, and alive until then.
    assert (readiness[-1].status, readiness[-1].json) == (503, {"status": "draining"})
    connection.send(body[50:])
    with closing(connection), connection.getresponse() as response:
        assert response.status == 200
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_the_access_log_has_no_names_and_no_addresses(start_client: Any, mean_model: MeanModel) -> None:
    process, client = start_client(mean_model(), "--no-detect", "--access-log")
    assert client.score("?detect=false", rgb=WHITE).status == 200
    assert client.score(rgb=b"no image").status == 422
    assert client.get("/photos/alice.jpg?person=alice").status == 404
    process.terminate()
    _, stderr = process.communicate(timeout=20)
    lines = [re.fullmatch(r"\S+T\S+ (.*) \d+ ms", line) for line in stderr.splitlines()]
    assert [match and match[1] for match in lines] == [
        "POST /v1/score 200",
        "POST /v1/score 422",
        "GET (other) 404",
    ]


def test_a_token_of_the_environment_is_demanded(
    start_client: Any, mean_model: MeanModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "environment-token-123"
    monkeypatch.setenv("FAS_SERVE_TOKEN", token)
    process, client = start_client(mean_model(), "--host", "0.0.0.0")
    assert client.get("/v1/model").status == 401
    assert client.get("/v1/model", Authorization=f"Bearer {token}").status == 200
    process.terminate()
    assert process.communicate(timeout=20) == ("", "")  # with a token nothing is warned of


def test_a_public_address_gets_a_warning(start: Any, mean_model: MeanModel) -> None:
    process, line = start(mean_model(), "--host", "0.0.0.0", "--port", 0)
    assert "http://localhost:" in line
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert stderr == (
        "warning: 0.0.0.0: other machines can reach the service, and it asks for no token: see --token-file\n"
    )
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
    (tmp_path / "token").write_text("a-token-of-the-service")
    (tmp_path / "token").chmod(0o644)
    assert_error_line(fas("serve", mean_model(), "--token-file", tmp_path / "token"), "chmod 600")
    assert_error_line(fas("serve", mean_model(), "--detector", tmp_path / "none.onnx"), "no such detector")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--timeout", "inf"),
        ("--scoring-timeout", "nan"),
        ("--header-timeout", "1e9"),
        ("--drain-delay", "nan"),
    ],
)
def test_times_that_bound_nothing_are_refused(
    fas: Fas, mean_model: MeanModel, option: str, value: str
) -> None:
    result = fas("serve", mean_model(), option, value)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert f"invalid value for '{option}'" in result.stderr


def test_a_missing_extra(fas: Fas, mean_model: MeanModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None if name == "uvicorn" else object())
    assert_error_line(fas("serve", mean_model()), "uvicorn", "pip install 'fas-core[serve]'")


def test_the_option_defaults_equal_those_of_the_classes(fas: Fas) -> None:
    from fas_plugins.commands.serve.command import command
    from fas_plugins.commands.serve.limits import Limits

    defaults = {option.name: option.default for option in command.params}
    limits = Limits()
    for name, value in asdict(limits).items():
        assert defaults[name] == value


def test_help_imports_no_framework() -> None:
    script = (
        "import sys, fas_plugins.commands.serve.command\n"
        "assert not {'starlette', 'uvicorn', 'cv2', 'onnxruntime', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
