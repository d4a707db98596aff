"""Run the application on a port."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from fas_core.errors import FasError

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one.

    Raises:
        FasError: the port is in use, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With an explicit protocol asyncio sets TCP_NODELAY; without it every response waits about 40 ms.
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise FasError(f"{host}: no address of this machine: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise FasError(f"{host}, port {port}: cannot be opened: {error.strerror}; try --port 0") from error
    return listener


def service_url(listener: socket.socket) -> str:
    """Return the address for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_local(listener: socket.socket) -> bool:
    """Return whether only programs on this machine can connect."""
    return ip_address(listener.getsockname()[0]).is_loopback


class Server(uvicorn.Server):
    """A uvicorn server that calls `announce` once it accepts requests.

    From then on an interruption shuts it down gracefully; before, it raises KeyboardInterrupt.
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self.announce = announce
        self.error: Exception | None = None

    async def main_loop(self) -> None:
        try:
            self.announce()
        except (FasError, BrokenPipeError) as error:  # stdout cannot be written
            self.error = error
            return
        await super().main_loop()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until an interruption; raise what `announce` raised."""
        super().run(sockets)
        if self.error is not None:
            raise self.error


def create_server(app: ASGIApp, timeout: float, announce: Callable[[], None] = lambda: None) -> Server:
    """Configure a server; call its `run(sockets=[...])`.

    Args:
        app: the application.
        timeout: seconds that active requests get to finish after an interruption.
        announce: called once the server accepts requests.
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
