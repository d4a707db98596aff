"""Crops made in parts, in this process: equal to those of one process, kept, and done again where missing."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from attrs import field, frozen
from click.testing import Result
from fsspec.implementations.memory import MemoryFileSystem

from fas_core.data.faces import CropSettings
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.inference.parts import Part, PartWorker
from fas_core.registry import registry
from fas_plugins.commands.data.crop import CropResult, crop_source
from fas_plugins.commands.data.crop_parts import CropParts

SMALL = CropSettings(size=32)
PHOTOS = 70
Fas = Callable[..., Result]


@frozen
class InProcess:
    """An engine that does the parts in turn, by pickled workers, and dies before the part `killed_at`."""

    killed_at: int | None = None
    numbers: list[int] = field(factory=list)

    def __call__(self, worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        copy = pickle.loads(pickle.dumps(worker))
        for number, table in parts:
            if number == self.killed_at:
                raise FasError("killed")
            self.numbers.append(number)
            yield copy((number, table))


@pytest.fixture
def table(tmp_path: Path, save: Callable[..., Path]) -> Path:
    """Photos with boxes, of which one is outside its photo and one file is cut off; and one without a box."""
    rng = np.random.default_rng(14)
    lines = ["id,path,label,box"]
    for number in range(PHOTOS):
        path = save(tmp_path / f"photos/{number:02}.png", rng.integers(0, 256, (40, 40, 3), np.uint8))
        box = {3: "90 90 9 9", 5: ""}.get(number, f"{number % 9} 4 20 20")
        lines.append(f"p{number},photos/{path.name},{number % 2},{box}")
    broken = tmp_path / "photos/40.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "table.csv"


def crop(table: Path, into: Path, engine: InProcess | None = None, rows: int = 32) -> CropResult:
    parts = None if engine is None else CropParts(engine, rows, None)
    return crop_source(str(table), into, SMALL, 2, registry(), parts)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_crops_and_lists_are_those_of_one_process(table: Path, tmp_path: Path) -> None:
    alone, engine = crop(table, tmp_path / "alone"), InProcess()
    assert crop(table, tmp_path / "parts", engine) == alone
    assert engine.numbers == [0, 1, 2]
    assert (alone.crops, alone.no_face, list(alone.unreadable)) == (PHOTOS - 3, ("p5",), ["p3", "p40"])
    files = contents(tmp_path / "alone")
    assert {"crops.jsonl", "manifest.csv", "no_face.txt", "unreadable.txt", "photos/00.png"} <= files.keys()
    assert contents(tmp_path / "parts") == files


def test_finished_parts_are_not_done_again(table: Path, tmp_path: Path) -> None:
    into = tmp_path / "parts"
    with pytest.raises(FasError, match="killed"):
        crop(table, into, InProcess(killed_at=2))
    before = {name: path for name in ("00", "40", "63") if (path := into / f"photos/{name}.png").exists()}
    assert list(before) == ["00", "63"]
    changed = {path: path.stat().st_mtime_ns for path in before.values()}
    engine = InProcess()
    assert crop(table, into, engine).crops == PHOTOS - 3
    assert engine.numbers == [2]
    assert {path: path.stat().st_mtime_ns for path in changed} == changed
    crop(table, tmp_path / "alone")
    assert contents(into) == contents(tmp_path / "alone")


def test_a_later_job_does_what_is_left(
    table: Path, tmp_path: Path, save: Callable[..., Path], noise: np.ndarray
) -> None:
    into, engine = tmp_path / "parts", InProcess()
    crop(table, into, InProcess())
    save(tmp_path / "photos/40.png", noise)
    (into / "photos/07.png").unlink()
    result = crop(table, into, engine)
    assert engine.numbers == [0]
    assert (result.crops, result.skipped, list(result.unreadable)) == (PHOTOS - 2, PHOTOS - 3, ["p3"])
    assert (into / "photos/07.png").is_file()
    with pytest.raises(DataError, match="was cropped with"):
        crop_source(str(table), into, CropSettings(size=48), 2, registry(), CropParts(engine, 32, None))


def test_a_store_that_cannot_be_reached_makes_no_photo_unreadable(table: Path, tmp_path: Path) -> None:
    table.write_text(table.read_text().replace("photos/00.png", "nowhere://bucket/00.png"))
    with pytest.raises(FasError, match=r"nowhere://bucket/00\.png: cannot be opened"):
        crop(table, tmp_path / "parts", InProcess())
    assert not (tmp_path / "parts/unreadable.txt").exists()


def test_photos_are_read_where_they_lie(table: Path, tmp_path: Path) -> None:
    for photo in (tmp_path / "photos").iterdir():
        MemoryFileSystem().pipe_file(f"/photos/{photo.name}", photo.read_bytes())
    urls = tmp_path / "urls.csv"
    urls.write_text(table.read_text().replace("photos/", "memory://photos/"))
    crop(table, tmp_path / "files")
    crop(urls, tmp_path / "urls", InProcess())
    MemoryFileSystem.store.clear()
    names = [f"photos/{number:02}.png" for number in (0, 7, 63)]
    files = [contents(tmp_path / kind) for kind in ("files", "urls")]
    assert [files[0][name] for name in names] == [files[1][name] for name in names]
    assert files[0]["crops.jsonl"] == files[1]["crops.jsonl"]


def test_a_worker_with_another_detector_stops_the_job(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        monkeypatch.setattr("cv2.__version__", "4.0.0")
        yield from InProcess()(worker, parts, workers)

    with pytest.raises(FasError, match=r"the face detector cascade: on .* another one than"):
        crop_source(str(table), tmp_path / "parts", SMALL, 1, registry(), CropParts(replaced, 32, None))


def test_the_command_hands_the_parts_to_the_engine(
    fas: Fas, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        assert workers == 2
        yield from InProcess()(worker, parts, workers)

    monkeypatch.setattr("fas_core.cli.part_options.require", lambda *_: None)
    monkeypatch.setattr("fas_core.inference.ray_engine.run_on_ray", run)
    flags = ("--size", 32, "--part-rows", 32, "-j", 2)
    result = fas("data", "crop", table, tmp_path / "parts", *flags, "--engine", "ray")
    assert result.exit_code == 1, result.stderr  # two photos cannot be cropped
    assert f"{PHOTOS - 3} crops" in result.stdout
    result = fas("data", "crop", table, tmp_path / "more", *flags)
    assert result.exit_code == 2
    assert "--part-rows belongs to --engine: give --engine ray" in result.stderr
    with pytest.raises(ConfigError, match="give a multiple of 32"):
        crop(table, tmp_path / "odd", InProcess(), rows=33)
