"""Pages and their files, and the headers of every response."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        ("/static/page.js", "text/javascript; charset=utf-8"),
        ("/static/style.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
    ],
)
def test_every_file_has_its_media_type(client: Any, path: str, media_type: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.body


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/score", "/none"])
def test_every_response_has_the_security_headers(client: Any, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/static/page.js", "/static/draw.js", "/static/docs.js", "/static/style.css"]
)
def test_pages_load_nothing_from_elsewhere_and_have_nothing_inline(client: Any, path: str) -> None:
    text = client.get(path).body.decode()
    assert "//" not in text.replace("// ", "").replace("http://www.w3.org/", "") or path.endswith(".js")
    for forbidden in ("http:", "https:", " style=", " onclick="):
        assert forbidden not in text
