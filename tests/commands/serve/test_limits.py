"""Limits refuse values that make no sense; a request error is one JSON document."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from fas_plugins.commands.serve.limits import Limits, RequestError


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_bytes", 0), ("max_pixels", 0), ("max_pixels", 10**9), ("timeout", 0), ("concurrency", 0)],
)
def test_limits_out_of_range(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})


def test_a_request_error_as_json() -> None:
    error = RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "no_face", "rgb: no face found", "rgb")
    assert str(error) == "rgb: no face found"
    assert error.to_json() == {"error": "no_face", "message": "rgb: no face found", "field": "rgb"}
