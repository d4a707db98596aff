"""The service as a Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib import resources
from typing import Any

from attrs import field, frozen
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fas_plugins.commands.serve.judge import Judge, Verdict
from fas_plugins.commands.serve.limits import Limits, Refusal
from fas_plugins.commands.serve.requests import read_flag, read_images
from fas_plugins.commands.serve.schema import openapi

PAGES = {"/": "index.html", "/docs": "docs.html"}
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
        "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
RETRY_AFTER = "1"
"""Seconds: by then a request that holds a place is usually done."""


@frozen(eq=False)
class Service:
    """What the routes answer with.

    Args:
        judge: scores images.
        facts: of the model, as part of every verdict.
        policy: of the threshold.
        limits: of a request, and of how many at once.
    """

    judge: Judge
    facts: Mapping[str, Any]
    policy: str
    limits: Limits
    _pool: ThreadPoolExecutor = field(init=False)
    _held: set[object] = field(factory=set, init=False)

    @_pool.default
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.limits.concurrency, "score")

    async def score(self, request: Request) -> Response:
        """`POST /v1/score`; a place is held from the first byte of the body to the end of the scoring."""
        detect = read_flag(request, "detect")
        if len(self._held) >= self.limits.concurrency:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                f"{self.limits.concurrency} requests are being answered: try again",
            )
        place = object()
        self._held.add(place)
        scoring: asyncio.Future[Verdict] | None = None
        try:
            async with asyncio.timeout(self.limits.timeout):
                images = await read_images(request, self.judge.predictor.card, self.limits)
                work = partial(self.judge, images, detect)
                scoring = asyncio.get_running_loop().run_in_executor(self._pool, work)
                # A thread cannot be stopped, so its place stays held after a timeout until it is done.
                scoring.add_done_callback(lambda done: self._release(place, done))
                verdict = await asyncio.shield(scoring)
        except TimeoutError:
            raise self._late(scoring is not None) from None
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # that nobody reads
        finally:
            if scoring is None:
                self._held.discard(place)
        return JSONResponse(verdict.to_json() | {"policy": self.policy, "model": self.facts})

    async def health(self, _: Request) -> Response:
        """`GET /healthz`: it answers, so it is well; the model was loaded before the port was opened."""
        return JSONResponse({"status": "ok", "busy": len(self._held), "concurrency": self.limits.concurrency})

    async def model(self, _: Request) -> Response:
        """`GET /v1/model`: what to send, and what the answers mean."""
        card, limits = self.judge.predictor.card, self.limits
        return JSONResponse(
            {
                **self.facts,
                "partial": card.input.partial,
                "threshold": self.judge.predictor.threshold,
                "policy": self.policy,
                "max_bytes": limits.max_bytes,
                "max_pixels": limits.max_pixels,
            }
        )

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _release(self, place: object, scoring: asyncio.Future[Verdict]) -> None:
        self._held.discard(place)
        if not scoring.cancelled():
            scoring.exception()  # after a timeout nobody else asks for it

    def _late(self, received: bool) -> Refusal:
        if received:
            message = f"scoring took longer than {self.limits.timeout:g} s"
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", message)
        message = f"the request did not arrive within {self.limits.timeout:g} s"
        return Refusal(HTTPStatus.REQUEST_TIMEOUT, "timeout", message)


def create_app(
    judge: Judge, name: str, policy: str, limits: Limits, hosts: tuple[str, ...] = ("*",)
) -> Starlette:
    """The application: `/v1/score`, `/v1/model`, `/healthz`, `/openapi.json` and two pages.

    Args:
        judge: scores images.
        name: of the model's file.
        policy: of the threshold.
        limits: of a request, and of how many at once.
        hosts: names by which it may be called. A web site can make a browser send requests to this machine
            under the site's own name; they are refused when only this machine's names are listed.
    """
    card = judge.predictor.card
    facts = {
        "file": name,
        "modalities": list(card.modalities),
        "input_size": card.input.face_size,
        "recipe_digest": card.digest,
    }
    service = Service(judge, facts, policy, limits)
    schema = openapi(card, facts, limits)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    async def described(_: Request) -> Response:
        return JSONResponse(schema)

    routes = [
        Route("/v1/score", service.score, methods=["POST"]),
        Route("/v1/model", service.model),
        Route("/healthz", service.health),
        Route("/openapi.json", described),
        *_static(),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(_Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _http_error, Exception: _bug},
    )


class _Headers:
    """Says the same of every response: what the page may do, and that faces are not to be cached."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, with_headers)


def _static() -> list[Route]:
    """The pages and what they load, from memory: no path of a request ever meets the file system."""
    files = [
        file
        for file in (resources.files("fas_plugins.commands.serve") / "static").iterdir()
        if file.is_file()
    ]
    named = {file.name: file for file in files}
    paths = {f"/static/{name}": name for name in named if not name.endswith(".html")} | PAGES
    return [
        Route(path, _file(named[name].read_bytes(), TYPES[f".{name.rpartition('.')[2]}"]))
        for path, name in paths.items()
    ]


def _file(content: bytes, media_type: str) -> Any:
    async def answer(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return answer


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    headers = {"Retry-After": RETRY_AFTER} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(error.to_json(), error.status, headers)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    found = Refusal(status, status.phrase.lower().replace(" ", "_"), error.detail)
    return JSONResponse(found.to_json(), status, error.headers)


async def _bug(_: Request, __: Exception) -> Response:
    """Said to the client without its details; the traceback goes to the service's stderr."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse(Refusal(status, "internal", "the service failed").to_json(), status)
