"""A service on a free port, in a thread, and requests to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from fas_core.data.faces import CropSettings
from fas_core.data.images import Image, encode
from fas_core.runtime import Predictor

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from fas_plugins.commands.serve.app import create_app
from fas_plugins.commands.serve.judge import Judge
from fas_plugins.commands.serve.limits import Limits
from fas_plugins.commands.serve.server import listen, server

BOUNDARY = "between-parts"


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
        return HTTPConnection(self.host, self.port, timeout=20)

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            return answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def score(self, query: str = "", **images: bytes | Image | str) -> Answer:
        """Bytes and arrays go as files, text goes as text."""
        return self.request("POST", f"/v1/score{query}", *form(images.items()))


def answer(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def form(parts: Any) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a form."""
    body = b""
    for name, value in parts:
        text = isinstance(value, str)
        content = value.encode() if text else value if isinstance(value, bytes) else encode(value, ".png")
        filename = "" if text else '; filename="face.png"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture(name="form")
def form_fixture() -> Callable[..., tuple[bytes, dict[str, str]]]:
    return form


@contextmanager
def services() -> Iterator[Callable[..., Client]]:
    """`start(path or judge, hosts=("*",), **limits)`: a client of a service, up until the block ends."""
    stops = []

    def start(model: Path | Any, hosts: tuple[str, ...] = ("*",), **limits: Any) -> Client:
        terms = Limits(**limits)
        judge = (
            Judge(Predictor(model, threads=1), CropSettings(), terms.max_pixels)
            if isinstance(model, Path)
            else model
        )
        app = create_app(judge, "model.onnx", "fixed:0.5", terms, hosts)
        bound = listen("127.0.0.1", 0)
        running = server(app, timeout=1)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]})
        thread.start()

        def stop() -> None:
            running.should_exit = True
            thread.join(20)
            assert not thread.is_alive()

        stops.append(stop)
        return Client(*bound.getsockname())

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Client]]:
    with services() as start:
        yield start


@pytest.fixture(scope="module")
def serve_long() -> Iterator[Callable[..., Client]]:
    """The same, up until the module ends."""
    with services() as start:
        yield start
