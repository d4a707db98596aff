"""The application on a port."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from fas_core.errors import FasError

LOCAL = ("localhost", "127.0.0.1", "[::1]")
BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one.

    Raises:
        FasError: the port is taken, or the host is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio sends at once only where the protocol is said; else answers wait 40 ms for receipts.
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise FasError(f"{host}: no address of this machine: {error.strerror}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise FasError(f"{host}, port {port}: cannot be opened: {error.strerror}; try --port 0") from error
    return bound


def url(bound: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = bound.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_local(bound: socket.socket) -> bool:
    """Whether only programs on this machine reach it."""
    return ip_address(bound.getsockname()[0]).is_loopback


class Server(uvicorn.Server):
    """Says when it answers; an interruption is handled from then on, and was a plain one before."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self.announce = announce

    async def main_loop(self) -> None:
        self.announce()
        await super().main_loop()


def server(app: ASGIApp, timeout: float, announce: Callable[[], None] = lambda: None) -> Server:
    """To be run on sockets; when interrupted it answers what it has begun, within `timeout` seconds.

    Args:
        app: what answers.
        timeout: in seconds.
        announce: called once it answers.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=max(round(timeout), 1),
    )
    return Server(config, announce)
