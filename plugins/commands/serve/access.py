"""Who may use the service: the names it serves, pages of its own origin, and clients that know the token.

Browsers send requests of any page to any address, so that a page of another site could have a visitor's
browser send photos here. Three headers, which pages cannot forge, tell such requests apart: `Host` (a foreign
name that resolves to this machine, as in DNS rebinding), `Origin` and `Sec-Fetch-Site`.
"""

from __future__ import annotations

import hmac
import os
import stat
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path

from attrs import field, frozen
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fas_core.errors import FasError
from fas_plugins.commands.serve.limits import RequestError
from fas_plugins.commands.serve.metrics import Metrics

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
MAX_HEADERS = 100
MIN_TOKEN = 16
TOKEN_VARIABLE = "FAS_SERVE_TOKEN"
OPEN_PATHS = ("/", "/docs", "/healthz", "/ready")
"""Paths that need no token, besides `/static/`: they tell nothing of the model or of the requests."""


def _lower_all(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


@frozen
class AccessRules:
    """Which requests are answered.

    Args:
        names: host names and addresses that the service is called by, without ports.
        any_address: whether it is called by any IP address, because it listens on all of the machine's. A
            page of another site has a host name, never an address of this machine.
        proxies: names of reverse proxies, as in their `Host` or `Origin`, with a port where it is not usual.
        token: secret that clients send as `Authorization: Bearer TOKEN`; None if they need none.
    """

    names: frozenset[str] = field(converter=_lower_all)
    any_address: bool = False
    proxies: frozenset[str] = field(default=frozenset(), converter=_lower_all)
    token: str | None = field(default=None, repr=False)

    def check(self, headers: Headers, method: str, path: str) -> None:
        """Check a request.

        Raises:
            RequestError: it is not for this service, comes from a page of another origin, or lacks the token.
        """
        if len(headers) > MAX_HEADERS:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise RequestError(status, "too_many_headers", f"more than {MAX_HEADERS} headers")
        self._check_host(headers.get("host", "").lower())
        self._check_origin(headers, method)
        if self.token is not None and path not in OPEN_PATHS and not path.startswith("/static/"):
            self._check_token(headers.get("authorization", ""), self.token)

    def _check_host(self, host: str) -> None:
        name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
        if name in self.names or host in self.proxies or name in self.proxies:
            return
        if not (self.any_address and _is_address(name)):
            message = "the service is not called by this Host: fas serve --allow-host adds a name"
            raise RequestError(HTTPStatus.BAD_REQUEST, "unknown_host", message)

    def _check_origin(self, headers: Headers, method: str) -> None:
        """Refuse requests of foreign pages. A link on one may still open the pages of the service."""
        if method == "GET" and headers.get("sec-fetch-mode") == "navigate":
            return
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        own = (headers.get("host", "").lower(), *self.proxies)
        foreign = origin is not None and origin.lower().partition("://")[2] not in own
        if foreign or site not in ("same-origin", "none"):
            message = "the request comes from a page of another origin"
            raise RequestError(HTTPStatus.FORBIDDEN, "cross_origin", message)

    def _check_token(self, authorization: str, token: str) -> None:
        scheme, _, value = authorization.partition(" ")
        # Both are compared as bytes, in a time that does not depend on where they differ.
        equal = hmac.compare_digest(value.strip().encode("latin-1", "replace"), token.encode())
        if scheme.lower() != "bearer" or not equal:
            message = "send the service's token: Authorization: Bearer TOKEN"
            raise RequestError(HTTPStatus.UNAUTHORIZED, "unauthorized", message)


class AccessControl:
    """ASGI middleware that refuses requests by `AccessRules`."""

    def __init__(self, app: ASGIApp, rules: AccessRules, metrics: Metrics) -> None:
        self.app, self.rules, self.metrics = app, rules, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self.rules.check(Headers(scope=scope), scope["method"], scope["path"])
            except RequestError as error:
                self.metrics.refusals[error.error] += 1
                headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
                await JSONResponse(error.to_json(), error.status, headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def read_token(path: Path | None) -> str | None:
    """Read the token from a file, else from the environment; None if there is none.

    The variable is removed from the environment, which worker processes inherit.

    Raises:
        FasError: the file cannot be read, others than its owner may read it, or the token is too short.
    """
    variable = os.environ.pop(TOKEN_VARIABLE, None)
    if path is not None:
        token, source = _read_token_file(path), str(path)
    elif variable is not None:
        token, source = variable.strip(), TOKEN_VARIABLE
    else:
        return None
    if len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise FasError(
            f"{source}: a token has at least {MIN_TOKEN} letters or digits, e.g. of openssl rand -hex 32"
        )
    return token


def _read_token_file(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise FasError(f"{path}: other users may read or change it: chmod 600 {path}")
            return file.read(10_000).strip()
    except OSError as error:
        raise FasError(f"{path}: the token cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        return ""


def access_rules(
    host: str, address: str, proxies: Iterable[str] = (), token: str | None = None, machine: str = ""
) -> AccessRules:
    """Return the rules of a service that listens on `address`, which `host` resolved to.

    Args:
        host: as the user named it.
        address: IP address of the listening socket.
        proxies: names of reverse proxies.
        token: secret that clients send.
        machine: host name of this machine.
    """
    ip = ip_address(address)
    names = {*LOCAL_NAMES, host, f"[{host}]", f"[{address}]" if ip.version == 6 else address}
    if not ip.is_loopback and machine:
        names.add(machine)
    return AccessRules(names, ip.is_unspecified, proxies, token)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
