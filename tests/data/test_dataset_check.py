"""Each problem of a data set in memory is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from attrs import evolve, field, frozen

from fas_core import DataError
from fas_core.contracts import DatasetReader
from fas_core.data.dataset_check import DatasetCheck, inspect_dataset
from fas_core.data.listing import Listing, list_files
from fas_core.records.samples import SampleTable

Save = Callable[[Path, Any], Path]


@frozen
class Reader:
    """A data set in memory."""

    tables: dict[str, SampleTable | DataError]
    overlaps: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ("a note",)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return tuple(self.tables)

    def samples(self, split: str) -> SampleTable:
        table = self.tables[split]
        if isinstance(table, DataError):
            raise table
        return table


@frozen
class FolderReader(Reader):
    """A data set of a folder that was listed."""

    listing: Listing = field(factory=Listing)


def test_videos_among_images_are_a_problem(reader: Reader) -> None:
    with_videos = FolderReader(reader.tables, listing=Listing(videos=("live/a.mp4", "attack/b.mov")))
    problem = "2 videos: not read, make images of them by `fas data frames`: live/a.mp4, attack/b.mov"
    assert inspect_dataset(with_videos, 1).problems == (problem,)


@pytest.fixture
def reader(tmp_path: Path, save: Save) -> Reader:
    """Two splits of two samples each with RGB and IR, all images different."""
    tables = {}
    for number, split in enumerate(("train", "test")):
        ids = [f"{split}/a", f"{split}/b"]
        images = {modality: [f"{name}-{modality}.png" for name in ids] for modality in ("rgb", "ir")}
        for paths in images.values():
            for path in paths:
                pixels = np.random.default_rng(list(path.encode())).integers(0, 256, (16, 16, 3), np.uint8)
                save(tmp_path / path, pixels)
        columns = {"label": [1, 0], "species": [None, "print"], "subject": [f"p{number}", f"q{number}"]}
        tables[split] = SampleTable.of(
            {"id": ids, **images, **columns}, modalities=("rgb", "ir"), root=tmp_path
        )
    return Reader(tables)


def with_test(reader: Reader, **columns: Any) -> DatasetCheck:
    """The result after columns of the test split are replaced."""
    table = reader.samples("test")
    names = [*table.table.column_names]
    values = {name: table.table.column(name) for name in names} | columns
    changed = SampleTable.of(values, modalities=table.modalities, root=table.root)
    return inspect_dataset(evolve(reader, tables={**reader.tables, "test": changed}), 2)


def test_a_sound_data_set(reader: DatasetReader) -> None:
    report = inspect_dataset(reader, 2)
    assert (report.problems, report.warnings, report.notes) == ((), (), ("a note",))
    assert report.files == 8
    rows = [(item.split, item.label, item.species, item.samples, item.modalities) for item in report.counts]
    both = {"rgb": 1, "ir": 1}
    assert rows == [
        ("train", "live", "live", 1, both),
        ("train", "attack", "print", 1, both),
        ("test", "live", "live", 1, both),
        ("test", "attack", "print", 1, both),
    ]
    assert report.to_json()["ok"] is True


def test_lists_alone_are_checked_without_a_file(reader: Reader, tmp_path: Path) -> None:
    """Leaks of people are found where no photo is; copies and damage are not."""
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    sound = inspect_dataset(reader, 2, with_files=False)
    assert (sound.problems, sound.files) == ((), None)
    assert [item.people for item in sound.counts] == [1, 1, 1, 1]
    assert sound.table("faces").note == "image files were not read"
    assert "people" in sound.table("faces").columns
    tables = reader.tables | {"dev": reader.samples("train")}
    leaking = inspect_dataset(evolve(reader, tables=tables), 2, with_files=False)
    assert "train and dev share 2 subjects: p0, q0" in leaking.problems


def test_missing_and_unreadable_files(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "train/a-rgb.png").unlink()
    (tmp_path / "test/b-ir.png").write_bytes(b"nonsense")
    problems = inspect_dataset(reader, 2).problems
    assert len(problems) == 2
    assert problems[0].startswith(f"{tmp_path}/train/a-rgb.png: no such image")
    assert problems[1].startswith(f"{tmp_path}/test/b-ir.png: cannot be decoded")


def test_very_many_bad_files_are_counted(tmp_path: Path) -> None:
    names = [f"{row}.jpg" for row in range(30)]
    table = SampleTable.of({"id": names, "rgb": names}, modalities=("rgb",), root=tmp_path)
    problems = inspect_dataset(Reader({"test": table}), 2).problems
    assert len(problems) == 11
    assert problems[-1] == "and 20 more files like these"


def test_an_identical_file_in_two_splits_leaks(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "test/b-ir.png").write_bytes((tmp_path / "train/a-ir.png").read_bytes())
    assert inspect_dataset(reader, 2).problems == ("train and test share 1 identical file: train/a = test/b",)


def test_the_same_id_in_two_splits_leaks(reader: Reader) -> None:
    assert with_test(reader, id=["train/b", "c"]).problems == ("train and test share 1 id: train/b",)


def test_the_same_subject_in_two_splits_leaks_unless_declared(reader: Reader) -> None:
    found = "train and test share 2 subjects: p0, q0"
    assert with_test(reader, subject=["q0", "p0"]).problems == (found,)
    declared = with_test(evolve(reader, overlaps=(("test", "train"),)), subject=["q0", "p0"])
    assert declared.problems == ()
    assert declared.warnings == (f"{found}; the protocol declares it",)


def test_labels_that_the_species_denies(reader: Reader) -> None:
    assert with_test(reader, species=["replay", "live"]).problems == (
        "test: 1 sample labelled live, of another species: test/a",
        "test: 1 sample labelled attack, of the species live: test/b",
    )


def test_boxes_outside_the_image(reader: Reader) -> None:
    report = with_test(reader, box=[[0, 0, 30, 30], [16, 0, 4, 4]])
    assert report.problems == ("test: 1 box outside the image: test/b",)


def test_one_class_and_copies_deserve_a_look(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "test/b-rgb.png").write_bytes((tmp_path / "test/a-rgb.png").read_bytes())
    report = with_test(reader, label=[0, 0], species=[None, "print"])
    assert report.problems == ()
    assert report.warnings == ("test: no live samples", "test: 1 image more than once: test/a = test/b")
    unlabelled = with_test(reader, label=[None, None], species=[None, None])
    assert unlabelled.warnings == ("test: 1 image more than once: test/a = test/b",)
    assert [(item.label, item.samples) for item in unlabelled.counts if item.split == "test"] == [
        ("unknown", 2)
    ]


def test_a_list_that_cannot_be_read_is_a_problem_and_the_others_are_checked(reader: Reader) -> None:
    broken = DataError("list: 2 problems", ["list:1: bad", "list:2: worse"])
    report = inspect_dataset(evolve(reader, tables={**reader.tables, "test": broken}), 2)
    assert report.problems == ("list: 2 problems", "list:1: bad", "list:2: worse")
    assert {item.split for item in report.counts} == {"train"}


def test_an_image_that_no_decoder_reads_is_a_problem(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic")
    listed = FolderReader(reader.tables, listing=list_files(tmp_path))
    (problem,) = inspect_dataset(listed, 2).problems
    assert problem.startswith(f"{tmp_path}/photo.heic: cannot be decoded: a HEIC image")


def test_zeros_in_the_middle_of_a_jpeg_are_a_problem(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    data = bytes(cv2.imencode(".jpg", noise)[1])
    (tmp_path / "a.jpg").write_bytes(data[:20000] + bytes(4096) + data[24096:])
    table = SampleTable.of({"id": ["a"], "rgb": ["a.jpg"]}, modalities=("rgb",), root=tmp_path)
    (problem,) = inspect_dataset(Reader({"test": table}), 1).problems
    assert (
        problem
        == f"{tmp_path}/a.jpg: the image is damaged: zeros instead of pixels in its middle: copy it again"
    )
