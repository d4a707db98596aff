"""Where the files of onnxruntime-web come from, and what is refused."""

from __future__ import annotations

import hashlib
import os
import tarfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, field, frozen

from fas_core import FasError
from fas_plugins.exporters.web import runtime_files
from fas_plugins.exporters.web.runtime_files import FILES, PACKAGE, find_registry, get_runtime_files


@pytest.fixture
def archive(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in as `npm pack` would fetch it; for the test it is the published one."""
    path = tmp_path / "packed.tgz"
    with tarfile.open(path, "w:gz") as file:
        file.add(package, "package")
    content = path.read_bytes()
    integrity = b64encode(hashlib.sha512(content).digest()).decode()
    monkeypatch.setattr(runtime_files, "PACKAGE", evolve(PACKAGE, size=len(content), integrity=integrity))
    return path


@frozen
class Registry:
    """A registry on this machine: its address, the archive that it serves, and the paths it was asked for."""

    address: str
    content: list[bytes] = field(factory=list)
    requests: list[str] = field(factory=list)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Registry]:
    """One that the environment names, and an empty cache."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            self.send_response(200 if served.content else 404)
            self.end_headers()
            self.wfile.write(b"".join(served.content))

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Registry(f"http://127.0.0.1:{server.server_address[1]}/npm/")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", served.address)
        monkeypatch.setenv("FAS_CACHE_DIR", str(tmp_path / "cache"))
        yield served
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("part", ["", "dist"])
def test_a_folder_is_taken_as_it_is(package: Path, part: str) -> None:
    files = get_runtime_files(package / part)
    assert files.version == PACKAGE.version
    assert files.contents.keys() == FILES.keys()
    for name, source in FILES.items():
        assert files.contents[name] == (package / "dist" / source).read_bytes()


def test_another_version_is_taken_with_a_warning(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "package.json").rename(package / "kept.json")
    try:
        (package / "package.json").write_text('{"version": "1.0.0"}')
        assert get_runtime_files(package).version == "1.0.0"
        assert f"its version is 1.0.0: the page was tested with {PACKAGE.version}" in capsys.readouterr().err
        (package / "package.json").write_text("no JSON")
        with pytest.raises(FasError, match=r"package\.json: damaged"):
            get_runtime_files(package)
    finally:
        (package / "kept.json").replace(package / "package.json")


def test_an_archive_is_that_of_the_package(archive: Path, package: Path) -> None:
    assert get_runtime_files(archive).contents == get_runtime_files(package).contents
    archive.write_bytes(archive.read_bytes() + b"\0")
    with pytest.raises(FasError, match=r"packed\.tgz: not the archive onnxruntime-web-.*its SHA-512"):
        get_runtime_files(archive)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"--web-runtime .*nowhere: no such file or folder"):
        get_runtime_files(tmp_path / "nowhere")
    with pytest.raises(FasError, match=r"has no ort\.wasm\.min\.mjs: give .* npm pack onnxruntime-web@"):
        get_runtime_files(tmp_path)


def test_it_is_fetched_from_the_registry_once(archive: Path, registry: Registry, tmp_path: Path) -> None:
    registry.content.append(archive.read_bytes())
    for _ in range(2):  # the second time from the cache
        assert get_runtime_files(None).contents == get_runtime_files(archive).contents
    name = f"onnxruntime-web-{PACKAGE.version}.tgz"
    assert registry.requests == [f"/npm/onnxruntime-web/-/{name}"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [name]
    (tmp_path / "cache" / name).write_bytes(b"damaged")
    get_runtime_files(None)
    assert len(registry.requests) == 2


@pytest.mark.parametrize("change", [b"\0", b""], ids=["longer", "another"])
def test_what_is_not_as_published_is_not_used(
    archive: Path, registry: Registry, tmp_path: Path, change: bytes
) -> None:
    content = archive.read_bytes()
    registry.content.append(content + change if change else content[::-1])
    with pytest.raises(FasError, match=r"what came is not onnxruntime-web-.*SHA-512 is another one\): not"):
        get_runtime_files(None)
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("archive")
def test_a_registry_without_it_is_named_with_the_way_out(registry: Registry) -> None:
    with pytest.raises(FasError, match=r"answered 404 .*give it: --web-runtime onnxruntime-web-"):
        get_runtime_files(None)


def test_npm_is_asked_where_the_environment_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.lower() == "npm_config_registry":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FasError, match=r"npm is not installed: set NPM_CONFIG_REGISTRY .* --web-runtime"):
        find_registry()
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\n[ "$1 $2 $3" = "config get registry" ] && echo https://npm.example/\n')
    npm.chmod(0o755)
    assert find_registry() == "https://npm.example/"
    monkeypatch.setenv("npm_config_registry", "ftp://npm.example/")
    with pytest.raises(FasError, match=r"npm_config_registry ftp://npm\.example/: give an address of https"):
        find_registry()
