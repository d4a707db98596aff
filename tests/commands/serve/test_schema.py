"""The OpenAPI document: requests that a generator makes of it are answered as it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.counts import count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core.data.images import Image, encode

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

MeanModel = Callable[..., Path]
SETTINGS = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture
def photos(photo_with: Callable[..., Image]) -> None:
    """Files that the document calls binary are photos of a face: bytes at random are no image."""
    photo = photo_with((80, 60, 35), shape=(120, 160))
    files = [encode(photo, suffix) for suffix in (".png", ".jpg", ".bmp", ".webp")]
    schemathesis.openapi.format("binary", st.sampled_from(files))


@pytest.fixture(params=[False, True], ids=["every modality", "some modalities"])
def operations(request: Any, serve: Any, mean_model: MeanModel, photos: None) -> dict[str, Any]:
    """What the document of a service offers, by path."""
    client = serve(mean_model(("rgb", "depth"), partial=request.param))
    schema = schemathesis.openapi.from_url(f"http://{client.host}:{client.port}/openapi.json")
    return {found.ok().path: found.ok() for found in schema.get_all_operations()}


def test_what_the_document_allows_is_answered(operations: dict[str, Any]) -> None:
    assert set(operations) == {"/v1/score", "/v1/model", "/healthz", "/ready"}
    for operation in operations.values():
        assert answered(operation, schemathesis.GenerationMode.POSITIVE) == {200}


def test_what_it_forbids_is_refused(operations: dict[str, Any]) -> None:
    seen = answered(operations["/v1/score"], schemathesis.GenerationMode.NEGATIVE)
    assert seen <= {400, 405, 415, 422}, seen
    assert 400 in seen


def answered(operation: Any, mode: Any) -> set[int]:
    """The statuses of an operation's answers, each of which fits the document."""
    seen = set()

    @SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        count("requests")
        seen.add(case.call_and_validate().status_code)

    check()
    return seen
