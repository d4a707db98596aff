"""Images that fsspec opens: in this process and in forked ones, and what is said where it cannot."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import torch
from attrs import evolve
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from fas_core import DataError, FasError
from fas_core.config.recipe import Recipe
from fas_core.data.faces import CROP_LOG, is_face_crop
from fas_core.data.fingerprint import SplitFingerprint
from fas_core.data.images import read_bytes, read_image
from fas_core.data.loader import training_loader
from fas_core.data.remote_files import fetching, open_file_system
from fas_core.records.samples import SampleTable
from fas_core.urls import Url

Image = np.ndarray[Any, np.dtype[np.uint8]]
Make = Callable[..., SampleTable]


class Asynchronous(AsyncFileSystem):  # type: ignore[misc]
    """Files of this machine by way of fsspec's event loop, whose thread no forked process has."""

    protocol = "asynchronous"
    cachable = True

    async def _cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **options: Any
    ) -> bytes:
        assert threading.current_thread().name == "fsspecIO"
        return bytes(LocalFileSystem().cat_file(path, start, end))

    async def _info(self, path: str, **options: Any) -> dict[str, Any]:
        return dict(LocalFileSystem().info(path))


class Refusing(MemoryFileSystem):  # type: ignore[misc]
    """A store that nobody may read, and that shows the URL with its password."""

    protocol = "refusing"

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        raise OSError("403,\n url='refusing://me:secret@host/1.png?key=abcdef'")

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        raise OSError("403, url='refusing://me:secret@host/1.png?key=abcdef'")


class Meeting(MemoryFileSystem):  # type: ignore[misc]
    """A store whose files are read when three of them are read at the same time."""

    protocol = "meeting"
    barrier = threading.Barrier(3, timeout=10)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        self.barrier.wait()
        return path[-5:].encode()


@pytest.fixture(autouse=True)
def _file_systems() -> Iterator[None]:
    for kind in (Asynchronous, Refusing, Meeting):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)
    yield
    MemoryFileSystem.store.clear()


def upload(path: Path, url: str) -> Url:
    MemoryFileSystem().pipe_file(url.removeprefix("memory:/"), path.read_bytes())
    return Url(url)


def recipe(workers: int) -> Recipe:
    plain = Recipe(modalities=("rgb",))
    return evolve(
        plain,
        model=evolve(plain.model, input_size=16),
        train=evolve(plain.train, workers=workers, batch_size=4, seed=3),
    )


def test_an_image_is_that_of_the_file(
    tmp_path: Path, save: Callable[..., Path], noise: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "1.png", noise)
    monkeypatch.setitem(fsspec.config.conf, "simplecache", {"cache_storage": str(tmp_path / "cache")})
    memory = upload(path, "memory://bucket/1.png")
    for url in (
        memory,
        Url(f"simplecache::{memory.address}"),
        Url(f"asynchronous://{path}"),
        Url(f"local://{path}"),
    ):
        np.testing.assert_array_equal(read_image(url), noise)
    MemoryFileSystem().rm_file("/bucket/1.png")
    np.testing.assert_array_equal(read_image(Url(f"simplecache::{memory.address}")), noise)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_urls_are_those_of_files(make_samples: Make, tmp_path: Path, workers: int) -> None:
    samples = make_samples(8)
    urls = evolve(samples, root=Url(f"asynchronous://{tmp_path}"))
    read_bytes(urls.path(0, "rgb"))  # so that the forked processes copy an open file system
    assert urls.is_remote
    assert not samples.is_remote
    loaders = [training_loader(table, recipe(workers)) for table in (samples, urls)]
    try:
        for one, other in zip(*loaders, strict=True):
            assert torch.equal(one.images["rgb"], other.images["rgb"])
            assert torch.equal(one.index, other.index)
    finally:
        for loader in loaders:
            loader.close()


def test_the_images_of_a_batch_are_fetched_at_the_same_time(tmp_path: Path) -> None:
    urls = [Url(f"meeting://bucket/{number}.png") for number in range(3)]
    with fetching([*urls, tmp_path]):
        assert [read_bytes(url) for url in urls] == [b"0.png", b"1.png", b"2.png"]


def test_what_cannot_be_fetched_is_said_when_its_turn_comes(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"content")
    whole = upload(tmp_path / "1.png", "memory://bucket/1.png")
    with fetching([whole, Url("memory://bucket/2.png")]):
        assert read_bytes(whole) == b"content"
        with pytest.raises(DataError, match=r"memory://bucket/2\.png: no such image"):
            read_bytes(Url("memory://bucket/2.png"))


def test_errors_of_a_store_are_one_line_without_credentials() -> None:
    url = Url("refusing://me:secret@host/1.png?key=abcdef")
    shown = "refusing://host/1.png?key=***"
    with pytest.raises(FasError) as error:
        read_bytes(url)
    assert str(error.value) == f"{url}: cannot be read: 403, url='{shown}'"
    assert not isinstance(error.value, DataError)  # the image may be a good one
    with pytest.raises(
        FasError,
        match=r"^refusing://host/1\.png\?key=\*\*\*: not known whether it is a crop: .*looked for: 403",
    ):
        is_face_crop(url)
    MemoryFileSystem().pipe_file("/bucket/0.png", b"")
    with pytest.raises(DataError, match=r"^memory://bucket/0\.png: the image is empty"):
        read_bytes(Url("memory://bucket/0.png"))


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(FasError, match=r"^s3://bucket/1\.png: .*s3fs"):
        read_bytes(Url("s3://bucket/1.png"))
    with pytest.raises(FasError, match=r"^nowhere://bucket/1\.png: cannot be opened: .*nowhere"):
        open_file_system("nowhere://bucket/1.png")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(FasError, match=r"this needs fsspec: pip install 'fas-core\[storage\]'"):
        read_bytes(Url("memory://bucket/1.png"))


def test_a_folder_above_a_url_says_that_images_are_crops(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("{}")
    upload(tmp_path / "log", f"memory://bucket/faces/{CROP_LOG}")
    assert is_face_crop(Url("memory://bucket/faces/train/live/1.png"))
    assert not is_face_crop(Url("memory://bucket/photos/1.png"))


def test_a_fingerprint_notices_other_files_at_the_same_urls(make_samples: Make, tmp_path: Path) -> None:
    samples = make_samples(3)
    for path in samples.paths("rgb"):
        upload(path, f"memory://bucket/{path.relative_to(tmp_path)}")
    urls = evolve(samples, root=Url("memory://bucket"))
    before = SplitFingerprint.of(urls)
    assert before == SplitFingerprint.of(samples)  # wherever the root lies
    MemoryFileSystem().pipe_file("/bucket/rgb/1.png", b"other")
    assert "their sizes differ" in SplitFingerprint.of(urls).describe_changes(before)[0]
    MemoryFileSystem().rm_file("/bucket/rgb/1.png")
    assert SplitFingerprint.of(urls).sizes != before.sizes
