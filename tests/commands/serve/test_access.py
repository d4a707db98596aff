"""Which requests are answered: by Host, origin, number of headers and token; and where a token is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.datastructures import Headers

from fas_core.errors import FasError
from fas_plugins.commands.serve.access import AccessRules, access_rules, read_token
from fas_plugins.commands.serve.limits import RequestError

MeanModel = Callable[..., Path]
WHITE = np.full((20, 30, 3), 255, np.uint8)
TOKEN = "a-token-of-the-service"


def error_of(rules: AccessRules, method: str = "POST", path: str = "/v1/score", **headers: str) -> str | None:
    """The code of the error that a request gets; None if it is answered."""
    try:
        rules.check(Headers(headers), method, path)
    except RequestError as error:
        return error.error
    return None


@pytest.mark.parametrize(
    ("host", "address", "name", "accepted"),
    [
        ("127.0.0.1", "127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", "[::1]:8000", True),
        ("127.0.0.1", "127.0.0.1", "fas.example:8000", True),
        ("127.0.0.1", "127.0.0.1", "evil.example", False),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1.evil.example:8000", False),
        ("127.0.0.1", "127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "127.0.0.1", "192.168.1.5", False),
        ("127.0.0.1", "127.0.0.1", "door-7", False),
        ("127.0.0.1", "127.0.0.1", "", False),
        ("0.0.0.0", "0.0.0.0", "192.168.1.5:8000", True),
        ("0.0.0.0", "0.0.0.0", "[fe80::1]:8000", True),
        ("0.0.0.0", "0.0.0.0", "door-7:8000", True),
        ("0.0.0.0", "0.0.0.0", "evil.example", False),
        ("0.0.0.0", "0.0.0.0", "1.2.3.4.evil.example", False),
        ("192.168.1.5", "192.168.1.5", "192.168.1.5:8000", True),
        ("192.168.1.5", "192.168.1.5", "192.168.1.6:8000", False),
        ("door.example", "192.168.1.5", "door.example", True),
    ],
)
def test_the_service_is_called_by_its_names_alone(host: str, address: str, name: str, accepted: bool) -> None:
    rules = access_rules(host, address, ["fas.example"], machine="door-7")
    assert error_of(rules, host=name) == (None if accepted else "unknown_host")


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({}, True),  # curl, and programs
        ({"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),  # an address that the visitor typed
        ({"Origin": "https://fas.example"}, True),  # behind a proxy that changes Host
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost:3000"}, False),  # another program on this machine
        ({"Origin": "http://localhost:8000.evil.example"}, False),
        ({"Origin": "null"}, False),  # e.g. a sandboxed frame or a file
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, False),  # a form that is posted
    ],
)
def test_pages_of_other_origins_are_refused(headers: dict[str, str], accepted: bool) -> None:
    rules = AccessRules({"localhost"}, proxies=["fas.example"])
    assert error_of(rules, host="localhost:8000", **headers) == (None if accepted else "cross_origin")


def test_a_link_on_another_page_opens_the_page() -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert error_of(AccessRules({"localhost"}), "GET", "/", host="localhost", **headers) is None


def test_a_cross_origin_form_is_not_scored(client: Any, form: Any, assert_error: Any) -> None:
    body, headers = form([("rgb", WHITE)])  # a type that browsers send without asking first
    for foreign in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.request("POST", "/v1/score", body, headers | foreign)
        assert_error(answer, 403, "cross_origin")
        assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = client.request("OPTIONS", "/v1/score", headers={"Origin": "http://evil.example"})
    assert_error(preflight, 403, "cross_origin")
    own = {"Origin": f"http://{client.host}:{client.port}", "Sec-Fetch-Site": "same-origin"}
    assert client.request("POST", "/v1/score", body, headers | own).status == 200
    assert_error(client.get("/v1/model", Host="evil.example"), 400, "unknown_host")


def test_the_number_of_headers_is_limited(client: Any, assert_error: Any) -> None:
    assert client.get("/healthz", **{f"X-{number}": "" for number in range(90)}).status == 200
    many = client.get("/healthz", **{f"X-{number}": "" for number in range(101)})
    assert_error(many, 431, "too_many_headers")


def test_a_token_is_demanded_where_something_is_told(
    serve: Any, mean_model: MeanModel, form: Any, assert_error: Any
) -> None:
    client = serve(mean_model(), AccessRules({"127.0.0.1"}, token=TOKEN))
    body, headers = form([("rgb", WHITE)])
    for value in (None, "", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
        wrong = {} if value is None else {"Authorization": value}
        answer = client.request("POST", "/v1/score", body, headers | wrong)
        assert TOKEN not in assert_error(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert client.request("POST", "/v1/score", body, headers | right).status == 200
    for path in ("/v1/model", "/metrics", "/openapi.json", "/none"):
        assert client.get(path).status == 401
    for path in ("/", "/docs", "/static/page.js", "/healthz", "/ready"):
        assert client.get(path).status == 200
    assert (
        'fas_serve_refusals_total{error="unauthorized"} 11' in client.get("/metrics", **right).body.decode()
    )


def test_a_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_token(None) is None
    monkeypatch.setenv("FAS_SERVE_TOKEN", f"{TOKEN}-2")
    assert read_token(None) == f"{TOKEN}-2"
    assert read_token(None) is None  # it is no longer in the environment
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    monkeypatch.setenv("FAS_SERVE_TOKEN", f"{TOKEN}-2")
    assert read_token(path) == TOKEN
    assert TOKEN not in repr(AccessRules({"localhost"}, token=TOKEN))


@pytest.mark.parametrize(
    ("content", "mode", "text"),
    [
        (TOKEN.encode(), 0o640, "other users may read or change it: chmod 600"),
        (TOKEN.encode(), 0o622, "chmod 600"),
        (b"short", 0o600, "at least 16"),
        (b"", 0o600, "at least 16"),
        (b"two words are no token", 0o600, "at least 16"),
        ("ключключключключ".encode(), 0o600, "at least 16"),
        (None, 0o600, "cannot be read: No such file"),
    ],
)
def test_unusable_tokens(tmp_path: Path, content: bytes | None, mode: int, text: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(FasError, match=text) as error:
        read_token(path)
    assert error.value.args[0].startswith(str(path))
