"""Images in zip archives: read by threads and processes, and archives that are not what they say."""

from __future__ import annotations

import os
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from fas_core import DataError, FasError
from fas_core.data import archives
from fas_core.data.faces import CROP_LOG, is_face_crop
from fas_core.data.files import MAX_BYTES
from fas_core.data.fingerprint import SplitFingerprint
from fas_core.data.images import read_bytes, read_image
from fas_core.records.samples import SampleTable
from fas_core.urls import Url

Write = Callable[..., zipfile.ZipFile]
LIST_ENTRY, END = b"PK\x01\x02", b"PK\x05\x06"


@pytest.fixture(autouse=True)
def _no_open_archives() -> Iterator[None]:
    yield
    archives._open.cache_clear()
    MemoryFileSystem.store.clear()


def pack(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def patch(path: Path, start: bytes, offset: int, data: bytes) -> Path:
    """Overwrite bytes of the last record that begins with `start`."""
    content = bytearray(path.read_bytes())
    at = content.rindex(start) + offset
    content[at : at + len(data)] = data
    path.write_bytes(content)
    return path


def refusal(url: str) -> str:
    with pytest.raises(FasError) as caught:
        read_bytes(Url(url))
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_image_is_that_of_the_file(
    tmp_path: Path, save: Callable[..., Path], noise: np.ndarray, method: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without fsspec, of a path; and from object storage, with it."""
    image = save(tmp_path / "1.png", noise)
    path = pack(tmp_path / "photos.zip", {"a/ü 1.png": image.read_bytes(), "a/": b""}, method)
    MemoryFileSystem().pipe_file("/bucket/photos.zip", path.read_bytes())
    np.testing.assert_array_equal(read_image(Url("zip://a/ü 1.png::memory://bucket/photos.zip")), noise)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    for url in (f"zip://a/ü 1.png::{path}", f"ZIP:///a/ü 1.png::file://{path}"):
        np.testing.assert_array_equal(read_image(Url(url)), noise)


def test_threads_and_forked_processes_share_an_archive(tmp_path: Path) -> None:
    files = {f"{number}.bin": bytes([number]) * 50_000 for number in range(40)}
    path = pack(tmp_path / "photos.zip", files, zipfile.ZIP_STORED)
    urls = [Url(f"zip://{name}::{path}") for name in files] * 5
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(read_bytes, urls)) == list(files.values()) * 5
    if hasattr(os, "fork"):
        with get_context("fork").Pool(2) as processes:
            assert processes.map(read_bytes, urls) == list(files.values()) * 5


def test_an_archive_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    path = pack(tmp_path / "photos.zip", {"1.png": b"first"})
    assert read_bytes(Url(f"zip://1.png::{path}")) == b"first"
    pack(tmp_path / "other.zip", {"1.png": b"second"}).replace(path)
    assert read_bytes(Url(f"zip://1.png::{path}")) == b"second"


def test_closed_archives_leave_no_file_open(tmp_path: Path) -> None:
    for number in range(archives.MAX_OPEN + 3):
        path = pack(tmp_path / f"{number}.zip", {"1.png": b"x"})
        assert read_bytes(Url(f"zip://1.png::{path}")) == b"x"
    if (descriptors := Path("/proc/self/fd")).exists():
        links = [path.readlink() for path in descriptors.iterdir() if path.is_symlink()]
        assert sum(link.is_relative_to(tmp_path) for link in links) == archives.MAX_OPEN


def test_what_is_wrong_with_an_archive_is_no_fault_of_an_image(tmp_path: Path) -> None:
    path = pack(tmp_path / "photos.zip", {"1.png": b"x" * 100})
    assert refusal(f"zip://1.png::{tmp_path}/none.zip") == (
        f"{tmp_path}/none.zip: the archive cannot be read: No such file or directory"
    )
    assert "none.zip: the archive cannot be read: No such" in refusal("zip://1.png::memory://b/none.zip")
    (tmp_path / "text.zip").write_text("no archive")
    assert "text.zip: not a zip archive, or damaged: File is not a zip file" in refusal(
        f"zip://1.png::{tmp_path}/text.zip"
    )
    (tmp_path / "half.zip").write_bytes(path.read_bytes()[:-30])
    assert "half.zip: not a zip archive, or damaged" in refusal(f"zip://1.png::{tmp_path}/half.zip")
    pack(tmp_path / "outer.zip", {"photos.zip": path.read_bytes()})
    assert "archive within an archive: unpack" in refusal(
        f"zip://1.png::zip://photos.zip::{tmp_path}/outer.zip"
    )
    os.mkfifo(tmp_path / "pipe.zip")
    assert "a pipe, not a file" in refusal(f"zip://1.png::{tmp_path}/pipe.zip")
    for url in (f"zip://1.png::{tmp_path}/none.zip", f"zip://1.png::{tmp_path}/text.zip"):
        with pytest.raises(FasError) as caught:
            read_bytes(Url(url))
        assert not isinstance(caught.value, DataError)


def test_what_is_wrong_with_an_image_is_said_of_it(tmp_path: Path) -> None:
    path = pack(tmp_path / "photos.zip", {"1.png": b"x" * 100, "2.png": b""})
    with pytest.raises(DataError, match=rf"^zip://a/1\.png::{path}: no such image"):
        read_bytes(Url(f"zip://a/1.png::{path}"))
    with pytest.raises(DataError, match=rf"^zip://2\.png::{path}: the image is empty"):
        read_bytes(Url(f"zip://2.png::{path}"))
    damaged = pack(tmp_path / "damaged.zip", {"1.png": b"x" * 100}, zipfile.ZIP_STORED)
    damaged.write_bytes(damaged.read_bytes().replace(b"xxxx", b"yxxx", 1))
    with pytest.raises(DataError, match=r"damaged\.zip: cannot be unpacked: Bad CRC-32"):
        read_bytes(Url(f"zip://1.png::{damaged}"))
    encrypted = patch(pack(tmp_path / "locked.zip", {"1.png": b"x"}), LIST_ENTRY, 8, b"\x01\x00")
    with pytest.raises(DataError, match=r"locked\.zip: cannot be unpacked: File '1\.png' is encrypted"):
        read_bytes(Url(f"zip://1.png::{encrypted}"))
    moved = pack(tmp_path / "moved.zip", {"1.png": b"x" * 100})
    (offset,) = struct.unpack_from("<I", moved.read_bytes(), moved.read_bytes().rindex(END) + 16)
    patch(moved, END, 16, struct.pack("<I", offset + 1000))
    with pytest.raises(
        DataError, match=r"moved\.zip: cannot be unpacked: it says that a file begins at -1000"
    ):
        read_bytes(Url(f"zip://1.png::{moved}"))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        other = pack(tmp_path / f"{method}.zip", {"1.png": b"x" * 100}, method)
        with pytest.raises(DataError, match="is compressed by another method than deflate"):
            read_bytes(Url(f"zip://1.png::{other}"))


def test_no_more_is_unpacked_than_an_image_may_have(tmp_path: Path) -> None:
    """An archive says how large its files are: the truth is refused, and of a lie no more is unpacked."""
    bomb = pack(tmp_path / "bomb.zip", {"1.png": b"\0" * (1 << 24)})
    assert bomb.stat().st_size < 1 << 15
    honest = tmp_path / "honest.zip"
    honest.write_bytes(bomb.read_bytes())
    patch(honest, LIST_ENTRY, 24, struct.pack("<I", MAX_BYTES + 1))
    assert refusal(f"zip://1.png::{honest}").endswith("more than 1024 MB: no image is that large")
    lying = patch(bomb, LIST_ENTRY, 24, struct.pack("<I", 100))
    tracemalloc.start()
    try:
        assert "cannot be unpacked: Bad CRC-32" in refusal(f"zip://1.png::{lying}")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_list_of_files_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "photos.zip", {f"{number}.png": b"" for number in range(1000)})
    monkeypatch.setattr(archives, "MAX_LIST", 10_000)
    assert "its list of files has 5" in refusal(f"zip://1.png::{path}")
    monkeypatch.setattr(archives, "MAX_LIST", 1 << 27)
    refused = patch(path, END, 12, struct.pack("<I", 0xFFFFFFF0))
    assert "not a zip archive, or damaged" in refusal(f"zip://1.png::{refused}")


def test_changed_bytes_are_an_error_of_one_line_or_the_image(tmp_path: Path) -> None:
    image = b"pixels" * 50
    content = pack(tmp_path / "photos.zip", {"1.png": image, "2.png": b"x"}).read_bytes()
    rng = np.random.default_rng(14)
    for number in range(300):
        changed = bytearray(content)
        for at in rng.integers(len(content), size=1 + number % 3):
            changed[at] = rng.integers(256)
        path = tmp_path / f"{number}.zip"
        path.write_bytes(changed)
        try:
            read = read_bytes(Url(f"zip://1.png::{path}"))
        except FasError as error:
            read, message = image, error.message
            assert "\n" not in message
        assert read == image


def test_a_table_names_archives_relative_to_its_folder(tmp_path: Path, save: Callable[..., Path]) -> None:
    image = save(tmp_path / "1.png", np.zeros((4, 4, 3), np.uint8))
    pack(tmp_path / "photos.zip", {"a/1.png": image.read_bytes()})
    columns = {"id": ["x"], "rgb": ["zip://a/1.png::photos.zip"]}
    samples = SampleTable.of(columns, modalities=("rgb",), root=tmp_path)
    assert samples.is_remote
    assert read_image(samples.path(0, "rgb")).shape == (4, 4, 3)
    whole = SampleTable.of(
        {"id": ["x"], "rgb": ["a/1.png"]}, modalities=("rgb",), root=f"zip://::{tmp_path}/photos.zip"
    )
    assert read_bytes(whole.path(0, "rgb")) == image.read_bytes()
    assert SplitFingerprint.of(whole).sizes == SplitFingerprint.of(samples).sizes


def test_a_folder_in_an_archive_says_that_images_are_crops(tmp_path: Path) -> None:
    crops = pack(tmp_path / "crops.zip", {CROP_LOG: b"{}", "train/1.png": b"x", "2.png": b"x"})
    photos = pack(tmp_path / "photos.zip", {"train/1.png": b"x", "2.png": b"x"})
    for name in ("train/1.png", "2.png"):
        assert is_face_crop(Url(f"zip://{name}::{crops}"))
        assert not is_face_crop(Url(f"zip://{name}::{photos}"))
