"""Faces cropped out of photos, resumed, listed and refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from click.testing import Result
from numpy.typing import NDArray

from fas_core import DataError
from fas_core.data.detectors import FaceDetector
from fas_core.data.faces import TEMPLATE, CropSettings
from fas_core.data.images import read_image
from fas_core.data.open import open_dataset
from fas_core.records.detected_face import DetectedFace
from fas_core.registry import registry
from fas_plugins.commands.data import crop as crop_module
from fas_plugins.commands.data.crop import crop_source

Image = NDArray[np.uint8]
PhotoWith = Callable[..., Image]
Save = Callable[[Path, Image], Path]
SMALL = CropSettings(size=48)


@pytest.fixture
def photos(tmp_path: Path, photo_with: PhotoWith, save: Save) -> Path:
    """A `folder` data set of two people (the second photo holds a smaller face too) and a wall."""
    root = tmp_path / "photos"
    save(root / "live/one.jpg", photo_with((200, 110, 70)))
    save(root / "attack/print/two.png", photo_with((90, 120, 80), (260, 120, 45)))
    save(root / "attack/print/wall.jpg", photo_with())
    return root


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_crops_are_a_data_set_like_the_photos(photos: Path, tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    done = crop_source(str(photos), crops, SMALL, 2, registry())
    assert (done.crops, done.skipped, done.no_face) == (2, 0, ("attack/print/wall",))
    assert (crops / "no_face.txt").read_text() == "attack/print/wall\n"
    samples = open_dataset(str(crops), None, registry()).samples("test")
    assert samples.column("id") == ["attack/print/two", "live/one"]
    assert [read_image(path).shape for path in samples.paths("rgb")] == [(48, 48, 3)] * 2


def test_the_manifest_says_where_crops_are_from(photos: Path, tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    crop_source(str(photos), crops, SMALL, 0, registry())
    two, one = manifest(crops)
    assert {name: two[name] for name in ("id", "split", "label", "species", "rgb")} == {
        "id": "attack/print/two",
        "split": "test",
        "label": "0",
        "species": "print",
        "rgb": "attack/print/two.png",
    }
    assert Path(two["source"]) == photos / "attack/print/two.png"
    x, _, w, h = map(float, two["source_box"].split())
    assert w == h > 100
    assert x <= 90 <= x + w
    assert one["label"] == "1"
    samples = open_dataset(str(crops / "manifest.csv"), None, registry()).samples("test")
    assert samples.path(0, "rgb").is_file()
    assert samples.box(0) is None


def test_loose_photos_need_no_layout(tmp_path: Path, photo_with: PhotoWith, save: Save) -> None:
    save(tmp_path / "in/a b/one.jpg", photo_with((200, 110, 70)))
    save(tmp_path / "in/two.jpg", photo_with())
    done = crop_source(str(tmp_path / "in"), tmp_path / "out", SMALL, 1, registry())
    assert (done.crops, done.no_face) == (1, ("two.jpg",))
    assert [row["rgb"] for row in manifest(tmp_path / "out")] == ["a b/one.jpg"]


def test_list_files_are_copied(tmp_path: Path, photo_with: PhotoWith, save: Save) -> None:
    root = tmp_path / "nuaa"
    for split, subject in (("train", "0001"), ("test", "0010")):
        for who, folder in (("client", "ClientRaw"), ("imposter", "ImposterRaw")):
            name = f"{subject}/{subject}_00_01_01_1.jpg"
            save(root / folder / name, photo_with((200, 110, 70)))
            (root / f"{who}_{split}_raw.txt").write_text(f"{name}\r\n")
    (root / "client_test_raw.txt").write_text("0010/0010_00_01_01_1.jpg\n0004/0004_00_01_03_1.jpg\n")
    save(root / "ClientRaw/0004/0004_00_01_03_1.jpg", photo_with((200, 110, 70)))
    (root / "imposter_test_raw.txt").write_text("0010/0010_00_01_01_1.jpg\n0004/0004_00_01_03_1.jpg\n")
    save(root / "ImposterRaw/0004/0004_00_01_03_1.jpg", photo_with((200, 110, 70)))
    done = crop_source(str(root), tmp_path / "crops", SMALL, 1, registry())
    assert done.crops == 6
    reader = open_dataset(str(tmp_path / "crops"), None, registry())
    assert [len(reader.samples(split)) for split in ("train", "dev", "test")] == [2, 2, 2]


def test_a_box_of_the_data_set_is_taken_and_modalities_are_cut_alike(
    tmp_path: Path, save: Save, noise: Image
) -> None:
    root = tmp_path / "in"
    save(root / "c.png", noise)
    save(root / "d.png", np.repeat(np.repeat(noise, 2, axis=0), 2, axis=1))
    (root / "m.csv").write_text("id,rgb,depth,box\nx,c.png,d.png,10 5 20 20\n")
    crop_source(str(root / "m.csv"), tmp_path / "out", CropSettings(margin=0, size=20), 0, registry())
    for name in ("c.png", "d.png"):
        np.testing.assert_array_equal(read_image(tmp_path / "out" / name), noise[5:25, 10:30])


def test_two_faces_of_one_photo_have_one_place(tmp_path: Path, save: Save, noise: Image) -> None:
    save(tmp_path / "in/c.png", noise)
    (tmp_path / "in/m.csv").write_text("id,path,box\nx,c.png,0 0 20 20\ny,c.png,9 9 16 16\n")
    with pytest.raises(DataError, match=r"images of more than one sample: c\.png"):
        crop_source(str(tmp_path / "in/m.csv"), tmp_path / "out", SMALL, 0, registry())


def test_what_is_done_is_not_done_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = tmp_path / "crops"
    crop_source(str(photos), crops, SMALL, 1, registry())
    before = (crops / "manifest.csv").read_text()
    looked: list[int] = []
    detector = crop_module.face_detector()
    monkeypatch.setattr(
        crop_module,
        "face_detector",
        lambda _: FaceDetector("cascade", lambda image: looked.append(1) or detector.search(image)),
    )
    assert crop_source(str(photos), crops, SMALL, 1, registry()).skipped == 3
    assert not looked
    (crops / "live/one.jpg").unlink()
    assert crop_source(str(photos), crops, SMALL, 1, registry()).skipped == 2
    assert len(looked) == 1
    assert (crops / "live/one.jpg").is_file()
    assert (crops / "manifest.csv").read_text() == before


def test_an_interrupted_job_goes_on(photos: Path, tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    broken = photos / "live/one.jpg"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:500])
    reasons = crop_source(str(photos), crops, SMALL, 1, registry()).unreadable
    assert list(reasons) == ["live/one"]
    assert "one.jpg: the image is cut off" in reasons["live/one"]
    with (crops / "crops.jsonl").open("a") as stream:
        stream.write('{"id": "live/o')  # the power went
    broken.write_bytes(whole)
    done = crop_source(str(photos), crops, SMALL, 1, registry())
    assert (done.crops, done.skipped) == (2, 2)
    assert crop_source(str(photos), crops, SMALL, 1, registry()).skipped == 3
    assert all(json.loads(line) for line in (crops / "crops.jsonl").read_text().splitlines())


def test_other_settings_want_another_folder(photos: Path, tmp_path: Path) -> None:
    crop_source(str(photos), tmp_path / "crops", SMALL, 1, registry())
    with pytest.raises(
        DataError, match=r"crops: was cropped with detector cascade, margin 0\.1, size 48: use"
    ):
        crop_source(str(photos), tmp_path / "crops", CropSettings(size=64), 1, registry())


@pytest.mark.parametrize("place", [".", "crops"])
def test_crops_may_not_be_written_among_the_photos(photos: Path, place: str) -> None:
    for source in (str(photos), f"folder:{photos}"):
        with pytest.raises(DataError, match=r"lies within .*photos, which is searched"):
            crop_source(source, photos / place, SMALL, 1, registry())


def test_crops_of_a_manifest_may_lie_beside_it_but_not_replace_the_photos(photos: Path) -> None:
    table = photos / "m.csv"
    table.write_text("path\nlive/one.jpg\n")
    with pytest.raises(DataError, match="crops would replace the photos"):
        crop_source(str(table), photos, SMALL, 1, registry())
    assert crop_source(str(table), photos / "crops", SMALL, 1, registry()).crops == 1


def test_photos_outside_the_root_are_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/m.csv").write_text("path\n../photos/live/one.jpg\n")
    with pytest.raises(DataError, match=r"\.\./photos/live/one\.jpg: leads out of"):
        crop_source(str(tmp_path / "sub/m.csv"), tmp_path / "out", SMALL, 1, registry())


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="in: no images in this folder"):
        crop_source(str(tmp_path / "in"), tmp_path / "out", SMALL, 1, registry())


def test_what_cannot_be_read_is_listed_and_the_rest_is_cropped(
    fas: Callable[..., Result], photo_with: PhotoWith, save: Save, tmp_path: Path
) -> None:
    """A job goes on after a corrupt photo; once that is mended, it crops what was missing."""
    source, crops = tmp_path / "in", tmp_path / "crops"
    for name in ("a.jpg", "b.png", "d/e.png"):
        save(source / name, photo_with((200, 110, 70)))
    whole = (source / "a.jpg").read_bytes()
    (source / "a.jpg").write_bytes(whole[:500])
    (source / "c.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (source / "notes.txt").write_text("notes")
    result = fas("data", "crop", source, crops, "--size", 48)
    assert result.exit_code == 1
    unsupported = "a HEIC image, which is not supported: save it as JPEG or PNG"
    assert result.stderr.splitlines() == [
        f"warning: {source}: 1 file left out: 1 .txt",
        f"error: {source}/a.jpg: the image is cut off after 500 bytes: copy it again",
        f"error: {source}/c.heic: cannot be decoded: {unsupported}",
    ]
    assert [row["id"] for row in manifest(crops)] == ["b.png", "d/e.png"]
    assert len((crops / "unreadable.txt").read_text().splitlines()) == 2
    (source / "a.jpg").write_bytes(whole)
    (source / "c.heic").unlink()
    result = fas("data", "crop", source, crops, "--size", 48, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["crops"], document["kept"], document["unreadable"]) == (3, 2, {})
    assert [row["id"] for row in manifest(crops)] == ["a.jpg", "b.png", "d/e.png"]


def test_a_box_outside_the_photo_writes_no_corner(photos: Path, tmp_path: Path) -> None:
    table = photos / "m.csv"
    table.write_text("path,box\nlive/one.jpg,400 300 50 50\nattack/print/wall.jpg,10 10 50 50\n")
    result = crop_source(str(table), tmp_path / "crops", SMALL, 1, registry())
    assert list(result.unreadable) == ["live/one.jpg"]
    assert "lies outside the image" in result.unreadable["live/one.jpg"]
    assert not (tmp_path / "crops/live/one.jpg").exists()
    assert (tmp_path / "crops/attack/print/wall.jpg").exists()


@pytest.mark.parametrize("name", ["one.gif", "one.pgm", "one.jfif", "upload"])
def test_crops_keep_the_name_of_a_rarer_format(
    photo_with: PhotoWith, tmp_path: Path, save: Save, name: str
) -> None:
    save(tmp_path / "photo.png", photo_with((200, 110, 70))).rename(tmp_path / name)
    (tmp_path / "in").mkdir()
    (tmp_path / name).rename(tmp_path / "in" / name)
    assert crop_source(str(tmp_path / "in"), tmp_path / "crops", SMALL, 1, registry()).crops == 1
    assert read_image(tmp_path / "crops" / name).shape == (48, 48, 3)


def test_the_detector_is_in_the_manifest_and_the_log(photos: Path, tmp_path: Path) -> None:
    result = crop_source(str(photos), tmp_path / "crops", SMALL, 1, registry())
    assert result.detector == "cascade"
    assert '"detector": "cascade"' in (tmp_path / "crops/crops.jsonl").read_text().splitlines()[0]
    rows = list(csv.DictReader((tmp_path / "crops/manifest.csv").read_text().splitlines()))
    assert {row["detector"] for row in rows} == {"cascade"}


def test_aligned_crops_need_landmarks_and_have_level_eyes(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aligned = evolve(SMALL, region="aligned")
    with pytest.raises(DataError, match="cascade finds no landmarks"):
        crop_source(str(photos), tmp_path / "none", aligned, 1, registry())
    points = tuple((100 + 80 * x, 60 + 80 * y) for x, y in TEMPLATE)
    face = DetectedFace((100, 60, 80, 80), points)
    monkeypatch.setattr(crop_module, "face_detector", lambda _: FaceDetector("fake", lambda image: [face]))
    crop_source(str(photos), tmp_path / "crops", aligned, 1, registry())
    lines = (tmp_path / "crops/crops.jsonl").read_text().splitlines()
    assert '"region": "aligned"' in lines[0]
    assert json.loads(lines[1])["box"] == pytest.approx([92, 52, 96, 96])  # a margin of a tenth on each side


def test_absolute_paths_below_a_manifest_that_is_named_by_a_relative_one(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "m.csv").write_text(f"path\n{photos}/live/one.jpg\nfile://{photos}/attack/print/two.png\n")
    monkeypatch.chdir(photos)
    assert crop_source("m.csv", tmp_path / "crops", SMALL, 1, registry()).crops == 2
    assert (tmp_path / "crops/attack/print/two.png").is_file()
