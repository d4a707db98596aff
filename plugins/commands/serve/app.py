"""The service as a Starlette application."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

from attrs import asdict, field, frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fas_plugins.commands.serve.access import AccessControl, AccessRules
from fas_plugins.commands.serve.admission import Admission
from fas_plugins.commands.serve.limits import Limits, RequestError
from fas_plugins.commands.serve.metrics import MEDIA_TYPE, CountRequests, Metrics
from fas_plugins.commands.serve.pages import SecurityHeaders, static_routes
from fas_plugins.commands.serve.requests import read_flag, read_images
from fas_plugins.commands.serve.schema import openapi_document
from fas_plugins.commands.serve.scoring import Scorer

RETRY_AFTER = "1"
"""Seconds after which a refused client should try again; most requests are done by then."""


@frozen(eq=False)
class Service:
    """The endpoints, and the threads that wait for the workers.

    Args:
        scorer: scores images.
        model_info: facts about the model that every verdict repeats.
        policy: threshold policy, e.g. `eer` or `fixed:0.5`.
        limits: size, time and number of requests.
        metrics: counts requests.
        draining: set when the service is about to end.
    """

    scorer: Scorer
    model_info: Mapping[str, Any]
    policy: str
    limits: Limits
    metrics: Metrics
    draining: threading.Event
    _admission: Admission = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)

    @_admission.default
    def _create_admission(self) -> Admission:
        return Admission(self.limits.concurrency, self.limits.queue)

    @_threads.default
    def _create_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.limits.concurrency, "score")

    async def score(self, request: Request) -> Response:
        """`POST /v1/score`. A request counts as active from its first byte until its scoring ends."""
        loop = asyncio.get_running_loop()
        detect = read_flag(request, "detect")
        end = loop.time() + self.limits.timeout
        await self._admission.enter(self.limits.timeout)
        scoring: asyncio.Future[dict[str, Any]] | None = None
        try:
            async with asyncio.timeout_at(end):
                images = await read_images(request, self.scorer.facts.card, self.limits)
                scoring = loop.run_in_executor(self._threads, self.scorer.score, images, detect)
                del images
                # A thread cannot be stopped: after a timeout the request stays active until its thread ends.
                scoring.add_done_callback(self._release)
                verdict = await asyncio.shield(scoring)
        except TimeoutError:
            raise self._timeout_error(received=scoring is not None) from None
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it
        finally:
            if scoring is None:
                self._admission.leave()
        self.metrics.verdicts[verdict["verdict"]] += 1
        return JSONResponse(verdict | self._describe_threshold() | {"model": self.model_info})

    async def health(self, _: Request) -> Response:
        """`GET /healthz`: liveness. Any answer means that the process is not stuck."""
        active, waiting = self._admission.active, self._admission.waiting
        return JSONResponse(
            {"status": "ok", "busy": active, "waiting": waiting, "concurrency": self.limits.concurrency}
        )

    async def ready(self, _: Request) -> Response:
        """`GET /ready`: whether a new request would be scored."""
        if self.draining.is_set():
            reason = "draining"
        elif self._admission.is_full:
            reason = "busy"
        else:
            reason = "ready" if self.scorer.is_ready() else "no_worker"
        status = HTTPStatus.OK if reason == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"status": reason}, status)

    async def show_metrics(self, _: Request) -> Response:
        """`GET /metrics`, for Prometheus."""
        gauges = {"active": self._admission.active, "waiting": self._admission.waiting}
        gauges["concurrency"] = self.limits.concurrency
        return Response(self.metrics.format(gauges), media_type=MEDIA_TYPE)

    async def model(self, _: Request) -> Response:
        """`GET /v1/model`: what the model takes, its threshold, and the limits of a request."""
        facts, limits, novelty = self.scorer.facts, self.limits, self.scorer.facts.card.novelty
        return JSONResponse(
            {
                **self.model_info,
                "partial": facts.card.input.partial,
                "threshold": facts.threshold,
                **self._describe_threshold(),
                "novelty": None if novelty is None else novelty.to_json(),
                "max_bytes": limits.max_bytes,
                "max_pixels": limits.max_pixels,
            }
        )

    def _describe_threshold(self) -> dict[str, Any]:
        """Return how the threshold was chosen, the uncertain scores around it, and the note of the model."""
        facts = self.scorer.facts
        reject = None if facts.reject is None else asdict(facts.reject)
        return {"policy": self.policy, "reject": reject, "note": facts.note}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _release(self, scoring: asyncio.Future[dict[str, Any]]) -> None:
        self._admission.leave()
        if not scoring.cancelled():
            scoring.exception()  # marks it as retrieved: after a timeout nobody awaits it

    def _timeout_error(self, *, received: bool) -> RequestError:
        if received:
            message = f"scoring took longer than {self.limits.timeout:g} s"
            return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", message)
        message = f"the request did not arrive within {self.limits.timeout:g} s"
        return RequestError(HTTPStatus.REQUEST_TIMEOUT, "timeout", message)


def create_app(
    scorer: Scorer,
    name: str,
    policy: str,
    limits: Limits,
    rules: AccessRules,
    metrics: Metrics | None = None,
    draining: threading.Event | None = None,
    log: Callable[[str], None] | None = None,
) -> Starlette:
    """Build the application: `/v1/score`, `/v1/model`, health, metrics, `/openapi.json` and two pages.

    Args:
        scorer: scores images.
        name: file name of the model.
        policy: threshold policy, e.g. `eer` or `fixed:0.5`.
        limits: size, time and number of requests.
        rules: which requests are answered.
        metrics: counts requests; the server and the workers count in the same object.
        draining: set when the service is about to end.
        log: gets a line for each response; None for no log.
    """
    card = scorer.facts.card
    metrics = metrics or Metrics()
    model_info = {
        "file": name,
        "modalities": list(card.input.photos),
        "input_size": card.input.face_size,
        "recipe_digest": card.digest,
    }
    service = Service(scorer, model_info, policy, limits, metrics, draining or threading.Event())
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
        Route("/ready", service.ready),
        Route("/metrics", service.show_metrics),
        Route("/openapi.json", openapi),
        *static_routes(),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(CountRequests, metrics, log),
            Middleware(AccessControl, rules, metrics),
        ],
        exception_handlers={
            RequestError: partial(_answer_request_error, metrics),
            HTTPException: _answer_http_error,
            Exception: _answer_bug,
        },
    )


async def _answer_request_error(metrics: Metrics, _: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    metrics.refusals[error.error] += 1
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
