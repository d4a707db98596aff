"""The service as a Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from attrs import field, frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fas_plugins.commands.serve.limits import Limits, RequestError
from fas_plugins.commands.serve.pages import SecurityHeaders, static_routes
from fas_plugins.commands.serve.requests import read_flag, read_images
from fas_plugins.commands.serve.schema import openapi_document
from fas_plugins.commands.serve.scoring import FaceScorer, Verdict

RETRY_AFTER = "1"
"""Seconds after which a refused client should try again; most requests are done by then."""


@frozen(eq=False)
class Service:
    """The endpoints, and the threads that score.

    Args:
        scorer: scores images.
        model_info: facts about the model that every verdict repeats.
        policy: threshold policy, e.g. `eer` or `fixed:0.5`.
        limits: size, time and number of requests.
    """

    scorer: FaceScorer
    model_info: Mapping[str, Any]
    policy: str
    limits: Limits
    _pool: ThreadPoolExecutor = field(init=False)
    _active: set[object] = field(factory=set, init=False)
    """One token per request that is being received or scored."""

    @_pool.default
    def _create_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.limits.concurrency, "score")

    async def score(self, request: Request) -> Response:
        """`POST /v1/score`. A request counts as active from its first byte until its scoring ends."""
        detect = read_flag(request, "detect")
        if len(self._active) >= self.limits.concurrency:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                f"{self.limits.concurrency} requests are being answered: try again",
            )
        token = object()
        self._active.add(token)
        scoring: asyncio.Future[Verdict] | None = None
        try:
            async with asyncio.timeout(self.limits.timeout):
                images = await read_images(request, self.scorer.predictor.card, self.limits)
                loop = asyncio.get_running_loop()
                scoring = loop.run_in_executor(self._pool, self.scorer.score, images, detect)
                # A thread cannot be stopped: after a timeout the request stays active until its thread ends.
                scoring.add_done_callback(lambda future: self._release(token, future))
                verdict = await asyncio.shield(scoring)
        except TimeoutError:
            raise self._timeout_error(received=scoring is not None) from None
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it
        finally:
            if scoring is None:
                self._active.discard(token)
        facts = {"policy": self.policy, "note": self.scorer.predictor.note, "model": self.model_info}
        return JSONResponse(verdict.to_json() | facts)

    async def health(self, _: Request) -> Response:
        """`GET /healthz`. The model is loaded before the port opens, so any answer means healthy."""
        return JSONResponse(
            {"status": "ok", "busy": len(self._active), "concurrency": self.limits.concurrency}
        )

    async def model(self, _: Request) -> Response:
        """`GET /v1/model`: what the model takes, its threshold, and the limits of a request."""
        card, limits = self.scorer.predictor.card, self.limits
        return JSONResponse(
            {
                **self.model_info,
                "partial": card.input.partial,
                "threshold": self.scorer.predictor.threshold,
                "policy": self.policy,
                "note": self.scorer.predictor.note,
                "max_bytes": limits.max_bytes,
                "max_pixels": limits.max_pixels,
            }
        )

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _release(self, token: object, scoring: asyncio.Future[Verdict]) -> None:
        self._active.discard(token)
        if not scoring.cancelled():
            scoring.exception()  # marks it as retrieved: after a timeout nobody awaits it

    def _timeout_error(self, *, received: bool) -> RequestError:
        if received:
            message = f"scoring took longer than {self.limits.timeout:g} s"
            return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", message)
        message = f"the request did not arrive within {self.limits.timeout:g} s"
        return RequestError(HTTPStatus.REQUEST_TIMEOUT, "timeout", message)


def create_app(
    scorer: FaceScorer, name: str, policy: str, limits: Limits, hosts: tuple[str, ...] = ("*",)
) -> Starlette:
    """Build the application: `/v1/score`, `/v1/model`, `/healthz`, `/openapi.json` and two pages.

    Args:
        scorer: scores images.
        name: file name of the model.
        policy: threshold policy, e.g. `eer` or `fixed:0.5`.
        limits: size, time and number of requests.
        hosts: accepted `Host` headers. A web site can make a visitor's browser send requests to this machine
            under the site's own name; listing only this machine's names refuses them.
    """
    card = scorer.predictor.card
    model_info = {
        "file": name,
        "modalities": list(card.modalities),
        "input_size": card.input.face_size,
        "recipe_digest": card.digest,
    }
    service = Service(scorer, model_info, policy, limits)
    document = openapi_document(card, name, limits)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    async def openapi(_: Request) -> Response:
        return JSONResponse(document)

    routes = [
        Route("/v1/score", service.score, methods=["POST"]),
        Route("/v1/model", service.model),
        Route("/healthz", service.health),
        Route("/openapi.json", openapi),
        *static_routes(),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
        exception_handlers={
            RequestError: _answer_request_error,
            HTTPException: _answer_http_error,
            Exception: _answer_bug,
        },
    )


async def _answer_request_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    headers = {"Retry-After": RETRY_AFTER} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(error.to_json(), error.status, headers)


async def _answer_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    body = RequestError(status, status.phrase.lower().replace(" ", "_"), error.detail).to_json()
    return JSONResponse(body, status, error.headers)


async def _answer_bug(_: Request, __: Exception) -> Response:
    """Hide the details from the client; the traceback goes to the service's stderr."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse(RequestError(status, "internal", "the service failed").to_json(), status)
