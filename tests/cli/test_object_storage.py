"""Data whose images are URLs: trained on, checked and cropped as the same files on this machine."""

from __future__ import annotations

import csv
import importlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest
from click.testing import Result
from fixtures.code_blocks import read_blocks
from fixtures.strangers import Site
from fsspec.implementations.memory import MemoryFileSystem

from fas_core.exporting.export_card import export_card
from fas_core.registry import registry
from fas_core.runs.run import Run

Fas = Callable[..., Result]
PhotoWith = Callable[..., np.ndarray]


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    yield
    MemoryFileSystem.store.clear()


def upload(folder: Path, bucket: str = "bucket") -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            MemoryFileSystem().pipe_file(f"/{bucket}/{path.relative_to(folder)}", path.read_bytes())


def write_table(path: Path, folder: Path, prefix: str) -> Path:
    """Write the manifest of a `folder` data set of splits, whose paths begin with `prefix`."""
    rows = [["id", "split", "label", "species", "path"]]
    for image in sorted(folder.rglob("*.png")):
        name = image.relative_to(folder).as_posix()
        split, label, *species = name.split("/")[:-1]
        rows.append([name, split, label, *(species or ["live"]), f"{prefix}{name}"])
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def zip_table(path: Path, folder: Path) -> Path:
    """Write the manifest of such a folder as a zip archive beside it, which it names by a relative path."""
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for image in folder.rglob("*.png"):
            archive.write(image, image.relative_to(folder).as_posix())
    table = write_table(path, folder, "zip://")
    table.write_text(
        table.read_text()
        .replace(".png\n", f".png::{path.stem}.zip\n")
        .replace(".png\r\n", f".png::{path.stem}.zip\r\n")
    )
    return table


@pytest.fixture
def table(faces: Path, tmp_path: Path) -> Path:
    """A manifest of URLs."""
    upload(faces)
    return write_table(tmp_path / "memory.csv", faces, "memory://bucket/")


def test_a_run_on_urls_is_that_on_files_bit_for_bit(
    fas: Fas, recipe_file: Path, faces: Path, tmp_path: Path
) -> None:
    """A card has no URL unless it is asked for, and other images at moved URLs are noticed."""
    upload(faces)
    local = write_table(tmp_path / "local.csv", faces, f"{faces}/")
    relative = write_table(tmp_path / "relative.csv", faces, "")
    remote = (relative, "--set", "data.image_root=memory://bucket", "--workers", 2)
    archive = (zip_table(tmp_path / "archive.csv", faces), "--workers", 2)
    runs = {name: tmp_path / "runs" / name for name in ("files", "urls", "archive")}
    for name, data in (("files", (local,)), ("urls", remote), ("archive", archive)):
        result = fas("train", recipe_file, "--data", *data, "--runs", tmp_path / "runs", "--name", name, "-q")
        assert result.exit_code == 0, result.output
    for file in ("best.safetensors", "scores/dev.csv", "scores/test.csv"):
        for name in ("urls", "archive"):
            assert (runs[name] / file).read_bytes() == (runs["files"] / file).read_bytes()
    files, *tables = [fas("eval", run, "--replicates", 0, "--json").stdout for run in runs.values()]
    assert tables == [files.replace("files", name) for name in ("urls", "archive")]
    run = Run.open(runs["urls"], registry())
    assert "memory://bucket" not in export_card(run, "best").to_json()
    assert "memory://bucket" in export_card(run, "best", keep_data_root=True).to_json()
    upload(faces, "moved")
    MemoryFileSystem().pipe_file("/moved/train/live/00.png", b"other")
    moved = ("--set", "data.image_root=memory://moved")
    resumed = fas("train", "--resume", runs["urls"], *moved, "--epochs", 2)
    assert resumed.exit_code == 2
    assert "data, train: other files: their sizes differ" in resumed.stderr


def test_credentials_are_in_no_file_of_a_run(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    root = "https://me:secret@host/set"
    (tmp_path / "table.csv").write_text("path,label\nlive/1.png,1\n")
    data = ("--data", tmp_path / "table.csv", "--set", f"data.image_root={root}")
    result = fas("train", recipe_file, *data, "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert "https://host/set: was given with credentials, which a recipe would keep" in result.stderr
    assert "secret" not in result.output + result.stderr
    assert not (tmp_path / "runs").exists()


def test_a_check_reads_urls_and_finds_what_is_wrong(fas: Fas, table: Path) -> None:
    assert fas("data", "check", table).exit_code == 0
    files = MemoryFileSystem()
    files.pipe_file("/bucket/train/live/00.png", files.cat_file("/bucket/train/live/00.png")[:-30])
    files.pipe_file("/bucket/test/live/00.png", files.cat_file("/bucket/train/live/01.png"))
    files.rm_file("/bucket/dev/live/00.png")
    result = fas("data", "check", table, "--json")
    assert result.exit_code == 1
    problems = json.loads(result.stdout)[str(table)]["problems"]
    assert any(
        line.startswith("memory://bucket/train/live/00.png: the image is cut off") for line in problems
    )
    assert any(line.startswith("memory://bucket/dev/live/00.png: no such image") for line in problems)
    assert any("train and test share 1 identical file" in line for line in problems)
    refused = fas("data", "check", table, "--write-digests")
    assert refused.exit_code == 2
    assert "digests are of files on this machine, and 72 images are URLs" in refused.stderr


def test_a_table_of_signed_urls_shows_no_signature(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("path,label\nmemory://bucket/1.png?signature=secret,1\n")
    result = fas("data", "check", tmp_path / "table.csv")
    assert "memory://bucket/1.png?signature=***: no such image" in result.stderr
    assert "secret" not in result.output + result.stderr


def test_crops_of_urls_are_those_of_files(
    fas: Fas, photo_with: PhotoWith, save: Callable[..., Path], tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    save(photos / "live/one.jpg", photo_with((200, 110, 70)))
    save(photos / "attack/wall.png", photo_with())
    save(photos / "attack/two.png", photo_with((90, 120, 80)))
    upload(photos)
    names = ["live/one.jpg", "attack/wall.png", "attack/two.png"]
    for kind, prefix in (("files", ""), ("urls", "memory://bucket/")):
        table = photos / f"{kind}.csv"
        table.write_text("\n".join(["id,path", *(f"{name},{prefix}{name}" for name in names)]) + "\n")
        result = fas("data", "crop", table, tmp_path / kind, "--size", 48)
        assert result.exit_code == 0, result.stderr
    for name in (names[0], names[2]):
        crop = tmp_path / "urls/bucket" / name
        assert crop.read_bytes() == (tmp_path / "files" / name).read_bytes()
    with (tmp_path / "urls/manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == [f"memory://bucket/{names[0]}", f"memory://bucket/{names[2]}"]
    trained_on = fas("data", "check", tmp_path / "urls/manifest.csv")
    assert trained_on.exit_code == 0, trained_on.stderr


def test_a_split_of_urls_keeps_them(fas: Fas, table: Path, tmp_path: Path) -> None:
    result = fas("data", "split", table, "--by", "sample", "-o", tmp_path / "split.csv")
    assert result.exit_code == 0, result.stderr
    with (tmp_path / "split.csv").open(newline="") as file:
        paths = {row["rgb"] for row in csv.DictReader(file)}
    assert all(path.startswith("memory://bucket/") for path in paths)


def test_photos_in_an_archive_are_predicted_and_checked(
    fas: Fas, faces: Path, mean_model: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without fsspec: an archive on this machine needs no further package."""
    local = write_table(tmp_path / "local.csv", faces, f"{faces}/")
    table = zip_table(tmp_path / "archive.csv", faces)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    model = mean_model(side=16)
    documents = [fas("predict", model, path, "--no-detect", "--json") for path in (local, table)]
    assert [document.exit_code for document in documents] == [0, 0]
    local_scores, scores = [
        {result["input"]: result["score"] for result in json.loads(document.stdout)["rows"]}
        for document in documents
    ]
    assert scores == local_scores
    assert len(scores) == 72
    assert fas("data", "check", table).exit_code == 0
    (tmp_path / "archive.zip").unlink()
    for command in (("predict", model, table), ("data", "check", table)):
        lost = fas(*command)
        assert lost.exit_code == 2
        assert lost.stderr.startswith(
            f"error: {tmp_path}/archive.zip: the archive cannot be read: No such file"
        )
        assert lost.stderr.count("\n") == 1


def test_a_file_system_of_a_stranger_is_found_by_its_entry_point(site: Site) -> None:
    """That of the documentation: `clip:///data/door.mp4/12` is a frame of a video."""
    (code,) = [block.text for block in read_blocks("docs/data.md") if block.file_name == "acme_clips.py"]
    (site.path / "acme_clips.py").write_text(code)
    info = site.path / "acme_clips-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-clips\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fsspec.specs]\nclip = acme_clips:ClipFrames\n")
    video = site.path / "door.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 5, (64, 48))
    for level in (40, 90, 140, 190):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    rows = [f"clip://{video}/{number},{number % 2}" for number in range(4)]
    (site.path / "frames.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    checked = json.loads(site.fas("data", "check", "frames.csv", "--json").stdout)
    assert checked["frames.csv"]["problems"] == []
    (site.path / "frames.csv").write_text("\n".join(["path,label", *rows, f"clip://{video}/99,1"]) + "\n")
    refused = site.fas("data", "check", "frames.csv", expected=1)
    assert f"clip://{video}/99: no such image" in refused.stdout + refused.stderr


@pytest.mark.long
def test_a_run_on_hdf5_and_lmdb_is_that_on_files_bit_for_bit(
    fas: Fas, recipe_file: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the file systems of the documentation, in two processes that read."""
    h5py, lmdb = pytest.importorskip("h5py"), pytest.importorskip("lmdb")
    (code,) = [block.text for block in read_blocks("docs/data.md") if block.file_name == "acme_store.py"]
    (tmp_path / "acme_store.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    store = importlib.import_module("acme_store")
    database = lmdb.open(str(tmp_path / "faces.lmdb"), map_size=1 << 24)
    with h5py.File(tmp_path / "faces.h5", "w") as stored, database.begin(write=True) as writer:
        for image in faces.rglob("*.png"):
            name, content = image.relative_to(faces).as_posix(), image.read_bytes()
            stored[name] = np.frombuffer(content, np.uint8)
            writer.put(name.encode(), content)
    database.close()
    runs = {
        "files": f"{faces}/",
        "h5": f"hdf5://{tmp_path}/faces.h5/",
        "lmdb": f"lmdb://{tmp_path}/faces.lmdb/",
    }
    for system in (store.Hdf5Images, store.LmdbImages):
        fsspec.register_implementation(system.protocol, system, clobber=True)
    for name, prefix in runs.items():
        table = write_table(tmp_path / f"{name}.csv", faces, prefix)
        options = ("--workers", 2, "--runs", tmp_path / "runs", "--name", name, "-q")
        result = fas("train", recipe_file, "--data", table, *options)
        assert result.exit_code == 0, result.output
        for file in ("best.safetensors", "scores/dev.csv", "scores/test.csv"):
            written, expected = (tmp_path / "runs" / run / file for run in (name, "files"))
            assert written.read_bytes() == expected.read_bytes()
        table.write_text(table.read_text().replace("/00.png", "/none.png"))
        missing = fas("data", "check", table)
        assert (missing.exit_code, "none.png: no such image" in missing.stdout + missing.stderr) == (1, True)
