"""Data whose images are URLs: trained on, checked and cropped as the same files on this machine."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
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
    runs = {name: tmp_path / "runs" / name for name in ("files", "urls")}
    for name, data in (("files", (local,)), ("urls", remote)):
        result = fas("train", recipe_file, "--data", *data, "--runs", tmp_path / "runs", "--name", name, "-q")
        assert result.exit_code == 0, result.output
    for file in ("best.safetensors", "scores/dev.csv", "scores/test.csv"):
        assert (runs["urls"] / file).read_bytes() == (runs["files"] / file).read_bytes()
    tables = [fas("eval", run, "--replicates", 0, "--json").stdout for run in runs.values()]
    assert tables[0].replace("files", "urls") == tables[1].replace("files", "urls")
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
