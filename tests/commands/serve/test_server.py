"""Listening sockets, and a server that announces itself and stops."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any
from urllib.request import urlopen

import pytest

from fas_core.errors import FasError
from fas_plugins.commands.serve.limits import Limits
from fas_plugins.commands.serve.server import create_server, is_local, listen, service_url


def test_port_0_takes_a_free_port() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


def test_a_port_in_use_is_refused() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FasError, match=f"127.0.0.1, port {port}: cannot be opened: .*; try --port 0"):
            listen("127.0.0.1", port)


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(FasError, match=r"no\.such\.host\.invalid: no address of this machine"):
        listen("no.such.host.invalid", 0)


@pytest.mark.parametrize(
    ("host", "local", "browser_host"), [("127.0.0.1", True, "127.0.0.1"), ("0.0.0.0", False, "localhost")]
)
def test_url_and_locality(host: str, local: bool, browser_host: str) -> None:
    with listen(host, 0) as listener:
        assert is_local(listener) is local
        assert service_url(listener) == f"http://{browser_host}:{listener.getsockname()[1]}"


def test_responses_do_not_wait_for_acknowledgements() -> None:
    """Asyncio sets TCP_NODELAY on the connections of a listener only if the listener names its protocol."""

    async def no_delay(listener: socket.socket) -> int:
        option = asyncio.get_running_loop().create_future()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            option.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(accept, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                return int(await option)
            finally:
                writer.close()
                await writer.wait_closed()

    assert asyncio.run(no_delay(listen("127.0.0.1", 0))) != 0


def test_the_server_announces_that_it_answers() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"hello"})

    ready = threading.Event()
    listener = listen("127.0.0.1", 0)
    server = create_server(app, Limits(timeout=1), announce=ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    assert ready.wait(20)
    with urlopen(service_url(listener), timeout=20) as answer:
        assert answer.read() == b"hello"
        assert "server" not in answer.headers
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()
