"""A service on a free port, in a thread, and requests to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from faults.counts import count

from fas_core.data.images import Image, encode
from fas_core.runtime import Predictor

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from fas_plugins.commands.serve.access import AccessRules
from fas_plugins.commands.serve.app import create_app
from fas_plugins.commands.serve.limits import Limits
from fas_plugins.commands.serve.metrics import Metrics
from fas_plugins.commands.serve.scoring import FaceScorer
from fas_plugins.commands.serve.server import create_server, listen

BOUNDARY = "between-fields"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@frozen
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@frozen
class Client:
    """Requests to a service."""

    host: str
    port: int

    def connect(self) -> HTTPConnection:
        count("requests")
        return HTTPConnection(self.host, self.port, timeout=20)

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def score(self, query: str = "", **fields: bytes | Image | str) -> Answer:
        """Send a form: bytes and arrays as files, text as text."""
        return self.request("POST", f"/v1/score{query}", *encode_form(fields.items()))

    def begin_score(self, length: int) -> HTTPConnection:
        """Send the head of a request for a score, and no more than the first line of its body."""
        connection = self.connect()
        connection.putrequest("POST", "/v1/score")
        connection.putheader("Content-Type", MULTIPART["Content-Type"])
        connection.putheader("Content-Length", str(length))
        connection.endheaders(f"--{BOUNDARY}\r\n".encode())
        return connection


def read_answer(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def encode_form(fields: Iterable[tuple[str, Any]]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a form."""
    body = b""
    for name, value in fields:
        text = isinstance(value, str)
        content = value.encode() if text else value if isinstance(value, bytes) else encode(value, ".png")
        filename = "" if text else '; filename="face.png"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode(), dict(MULTIPART)


@pytest.fixture
def form() -> Callable[..., tuple[bytes, dict[str, str]]]:
    return encode_form


@pytest.fixture
def assert_error() -> Callable[..., str]:
    """`assert_error(answer, status, error, field=None)`: check the error document, return its message."""

    def check(answer: Answer, status: int, error: str, field: str | None = None) -> str:
        assert answer.status == status, answer.body
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json) == {"error", "message", "field"}
        assert (answer.json["error"], answer.json["field"]) == (error, field)
        message: str = answer.json["message"]
        assert message
        assert "\n" not in message
        return message

    return check


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)

    return wait


@contextmanager
def services() -> Iterator[Callable[..., Client]]:
    """`start(model or scorer, rules=None, **limits)`: a client of a service that ends with the block.

    It scores in the test's process; `test_workers.py` and `test_attacks.py` have worker processes.
    """
    stops = []

    def start(model: Path | Any, rules: AccessRules | None = None, **values: Any) -> Client:
        limits = Limits(**values)
        scorer = (
            FaceScorer(Predictor(model, threads=1, detect=False), limits.max_pixels)
            if isinstance(model, Path)
            else model
        )
        metrics = Metrics()
        app = create_app(
            scorer, "model.onnx", "fixed:0.5", limits, rules or AccessRules({"127.0.0.1"}), metrics
        )
        listener = listen("127.0.0.1", 0)
        server = create_server(app, evolve(limits, timeout=1), metrics)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()

        stops.append(stop)
        return Client(*listener.getsockname())

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Client]]:
    with services() as start:
        yield start


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


@pytest.fixture
def start_client(start: Any) -> Callable[..., tuple[subprocess.Popen[str], Client]]:
    """`start_client(*arguments)`: the process of `fas serve`, and a client of it."""

    def run(*arguments: object) -> tuple[subprocess.Popen[str], Client]:
        process, line = start(*arguments, "--port", 0)
        return process, Client("127.0.0.1", int(line.split()[2].rpartition(":")[2]))

    return run


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Callable[..., Client]]:
    """Like `serve`, but the services run until the module ends."""
    with services() as start:
        yield start


@pytest.fixture(scope="module")
def shared_services() -> dict[str, Client]:
    return {}


@pytest.fixture
def client(shared_services: dict[str, Client], serve_module: Any, mean_model: Callable[..., Path]) -> Client:
    """A client of one rgb service for all tests of a module: no request may harm the next one."""
    if not shared_services:
        shared_services["rgb"] = serve_module(mean_model())
    return shared_services["rgb"]
