"""URLs of files: what is one, what lies below and above it, and what is shown of it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from fas_core.urls import Url, hide_credentials, hide_in_text, is_url, locate, to_location


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/1.png", True),
        ("S3://bucket/1.png", True),
        ("simplecache::s3://bucket/1.png", True),
        ("zip://1.png::https://host/photos.zip", True),
        ("photos/1.png", False),
        ("photos/a://b.png", False),
        ("C://photos/1.png", False),
        ("a1::b.png", False),
    ],
)
def test_what_is_a_url(text: str, expected: bool) -> None:
    assert is_url(text) is expected


def test_a_table_names_files_below_its_root_or_by_urls_of_their_own() -> None:
    root = Path("/data")
    assert locate(root, "a/1.png") == Path("/data/a/1.png")
    assert locate(root, "/b/1.png") == Path("/b/1.png")
    assert locate(root, "s3://bucket//1.png") == Url("s3://bucket//1.png")
    assert locate(root, "file:///b/1.png") == Path("/b/1.png")
    assert locate(Url("s3://bucket/set/"), "a/1.png") == Url("s3://bucket/set/a/1.png")
    assert locate(Url("s3://bucket/set"), "gs://other/1.png") == Url("gs://other/1.png")
    assert locate(Url("s3://bucket/set"), "/b/1.png") == Path("/b/1.png")
    assert locate(root, "zip://1.png::a/b.zip") == Url("zip://1.png::/data/a/b.zip")
    assert locate(root, "zip://1.png::/b.zip") == Url("zip://1.png::/b.zip")
    assert locate(root, "zip://1.png::s3://b/c.zip") == Url("zip://1.png::s3://b/c.zip")
    assert locate(Url("s3://bucket/set"), "zip://1.png::b.zip") == Url("zip://1.png::s3://bucket/set/b.zip")
    assert locate(Url("zip://::b.zip"), "a/1.png") == Url("zip:///a/1.png::b.zip")
    assert to_location(root) is root


@pytest.mark.parametrize(
    ("address", "path", "parent", "suffix"),
    [
        ("s3://bucket/a/1.PNG", "bucket/a/1.PNG", "s3://bucket/a", ".PNG"),
        ("memory://1.png", "1.png", None, ".png"),
        ("memory:///a/1", "a/1", "memory:///a", ""),
        ("simplecache::s3://b/a/1.png", "b/a/1.png", "simplecache::s3://b/a", ".png"),
        ("zip://a/1.png::s3://b/c.zip", "a/1.png", "zip://a::s3://b/c.zip", ".png"),
        ("zip://a::s3://b/c.zip", "a", "zip://::s3://b/c.zip", ""),
        ("zip://::s3://b/c.zip", "", None, ""),
        ("https://me:pw@host/a/1.png?key=secret", "host/a/1.png", "https://me:pw@host/a?key=secret", ".png"),
    ],
)
def test_the_path_of_a_url(address: str, path: str, parent: str | None, suffix: str) -> None:
    url = Url(address)
    assert (url.path, url.suffix) == (path, suffix)
    assert (url.parent and url.parent.address) == parent
    if url.parent is not None:
        below = url.parent / path.rpartition("/")[2]
        assert below.address.replace(":///", "://") == address.replace(":///", "://")
    assert pickle.loads(pickle.dumps(url)) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/a@2x.png", "s3://bucket/a@2x.png"),
        ("https://user:pass@host/4@1/1.png", "https://1/1.png"),  # rather too little than a password
        ("https://user:p/a@host/1.png", "https://host/1.png"),
        ("https://host/1.png?X-Amz-Signature=abcd&part=2", "https://host/1.png?X-Amz-Signature=***&part=2"),
        ("simplecache::https://u:p@host/1.png", "simplecache::https://host/1.png"),
        ("zip://1.png::ftp://u:p@host/a.zip", "zip://1.png::ftp://host/a.zip"),
    ],
)
def test_credentials_are_not_shown(url: str, shown: str) -> None:
    assert hide_credentials(url) == shown
    assert str(Url(url)) == repr(Url(url)) == f"{Url(url)}" == shown
    assert hide_in_text(f"404, url='{url}'") == f"404, url='{shown}'"
