"""Downloads: which redirects are followed, and which addresses a user may give."""

from __future__ import annotations

import io
from urllib.request import Request

import pytest

from fas_core import FasError
from fas_core.downloads import SafeRedirects, check_address


@pytest.mark.parametrize(
    ("start", "target", "is_followed"),
    [
        ("https://a.example/x", "https://b.example/x", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "ftp://a.example/x", False),
        ("http://127.0.0.1/x", "http://127.0.0.1/y", True),
        ("http://127.0.0.1/x", "https://a.example/y", True),
    ],
)
def test_redirects(start: str, target: str, is_followed: bool) -> None:
    def redirect() -> Request | None:
        return SafeRedirects().redirect_request(Request(start), io.BytesIO(), 302, "", {}, target)

    if is_followed:
        request = redirect()
        assert request is not None
        assert request.full_url == target
    else:
        with pytest.raises(FasError, match="which is not https"):
            redirect()


def test_only_addresses_of_the_web_are_taken() -> None:
    assert check_address("http://127.0.0.1:8081/npm", "--from") == "http://127.0.0.1:8081/npm"
    with pytest.raises(FasError, match=r"^--from ftp://a\.example: give an address of https:// or http://$"):
        check_address("ftp://a.example", "--from")
