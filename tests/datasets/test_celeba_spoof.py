"""CelebA-Spoof on a miniature tree in the documented layout."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result

from fas_core import DataError
from fas_core.testing import check_dataset, open_dataset
from fas_plugins.datasets.celeba_spoof import CelebaSpoof
from fas_plugins.datasets.options import CelebaSpoofOptions

Write = Callable[..., Path]


def numbers(species: int, environment: int = 0, spoof: int | None = None) -> list[int]:
    """What a list says of a photo: attributes, type, light, environment, attack or not."""
    return [1] * 40 + [species, 1, environment, int(species > 0) if spoof is None else spoof]


def photo(root: Path, path: str, box: str | None, shape: tuple[int, int] = (448, 112)) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    shade = np.random.default_rng(len(path)).integers(0, 256, (*shape, 3), np.uint8)
    assert cv2.imwrite(str(root / path), shade)
    if box is not None:
        (root / f"{path.rpartition('.')[0]}_BB.txt").write_text(box)


def write_list(root: Path, name: str, entries: Mapping[str, Any]) -> Path:
    file = root / "metas" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(entries))
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    train = {
        "Data/train/1/live/000184.jpg": (numbers(0), "56 28 112 56 0.99 \r\n"),
        "Data/train/1/spoof/000187.png": (numbers(3, 1), "0 0 224 224 0.9"),
        "Data/train/2/spoof/000190.png": (numbers(10, 2), "nonsense"),
        "Data/train/2/spoof/000191.png": (numbers(11), None),
    }
    test = {
        "Data/test/9/live/1.jpg": (numbers(0), "1 1 10 10 0.5"),
        "Data/test/9/spoof/2.jpg": (numbers(9, 1), "1 1 0 10 0.5"),
    }
    for split, entries in (("train", train), ("test", test)):
        for path, (_, box) in entries.items():
            photo(tmp_path, path, box)
        write_list(
            tmp_path, f"intra_test/{split}_label.json", {path: said for path, (said, _) in entries.items()}
        )
    return tmp_path


def reader(root: Path, protocol: str = "intra_test", boxes: bool = True) -> CelebaSpoof:
    return CelebaSpoof(CelebaSpoofOptions(protocol, boxes), root=root)  # type: ignore[arg-type]


def test_lists_and_folders_tell_everything(root: Path) -> None:
    celeba = open_dataset(root)
    assert celeba.splits() == ("train", "test")
    train = celeba.samples("train")
    assert train.column("id")[0] == train.column("rgb")[0] == "Data/train/1/live/000184.jpg"
    assert train.labels.tolist() == [1, 0, 0, 0]
    assert train.column("species") == ["live", "a4", "mask_3d", None]
    assert train.column("subject") == ["1", "1", "2", "2"]
    assert train.column("session") == [None, "indoor", "outdoor", None]
    check_dataset("celeba_spoof", root)


def test_boxes_are_in_pixels_of_the_photo(root: Path) -> None:
    """The photos are 448 high and 112 wide: 224 units each."""
    celeba = reader(root)
    train = celeba.samples("train")
    assert train.box(0) == (28, 56, 56, 112)
    assert train.box(1) == (0, 0, 112, 448)
    assert train.box(2) is train.box(3) is None
    assert celeba.samples("test").box(1) is None
    assert celeba.notes == (
        "2 train photos have no usable box and are used uncropped: Data/train/2/spoof/000190.png, "
        "Data/train/2/spoof/000191.png",
        "1 test photos have no usable box and are used uncropped: Data/test/9/spoof/2.jpg",
    )


def test_boxes_can_be_left_alone(root: Path) -> None:
    celeba = reader(root, boxes=False)
    assert celeba.samples("train").column("box") == [None] * 4
    assert celeba.notes == ()


def test_crops_are_a_root_and_have_no_boxes(root: Path, tmp_path: Path, fas: Callable[..., Result]) -> None:
    """Noise has no faces: of the photos without a box there is no crop, as no_face.txt says."""
    faces = tmp_path.parent / f"{tmp_path.name}-faces"
    assert fas("data", "crop", root, faces, "--size", 32, "--workers", 1).exit_code == 0
    assert len((faces / "no_face.txt").read_text().splitlines()) == 3
    celeba = open_dataset(faces)
    assert celeba.samples("train").column("id") == [
        "Data/train/1/live/000184.jpg",
        "Data/train/1/spoof/000187.png",
    ]
    assert celeba.samples("train").column("box") == [None, None]
    assert celeba.notes == ()


@pytest.mark.parametrize(
    ("protocol", "folder"),
    [("1", "protocol1"), ("2@low", "protocol2/test_on_low_quality_device")],
)
def test_other_protocols_have_lists_of_their_own(root: Path, protocol: str, folder: str) -> None:
    with pytest.raises(DataError, match=f"metas/{folder}: no train_label.json here"):
        reader(root, protocol).splits()
    write_list(root, f"{folder}/test_label.json", {"Data/train/1/live/000184.jpg": numbers(0)})
    assert reader(root, protocol).splits() == ("test",)
    assert len(reader(root, protocol).samples("test")) == 1
    with pytest.raises(DataError, match=r"no 'dev' split \(there are: test\)"):
        reader(root, protocol).samples("dev")


def test_inverted_and_malformed_entries_are_all_named(root: Path) -> None:
    file = write_list(
        root,
        "intra_test/train_label.json",
        {
            "Data/train/1/live/000184.jpg": numbers(0, spoof=1),
            "Data/train/1/spoof/000187.png": numbers(3, spoof=0),
            "Data/train/2/spoof/000190.png": numbers(0, spoof=1),
            "Data/train/2/spoof/000191.png": numbers(2)[:43],
            "Data/train/2/spoof/000192.png": 1,
            "Data/train/2/spoof/000193.png": numbers(2, spoof=2),
            "Data/train/2/000194.png": numbers(2),
            "../Data/train/2/spoof/000195.png": numbers(2),
        },
    )
    with pytest.raises(DataError, match="8 problems") as caught:
        reader(root).samples("train")
    assert [line.removeprefix(f"{file}: ").partition(": ")[2] for line in caught.value.problems] == [
        "label 1 and spoof type 0 in a folder live/",
        "label 0 and spoof type 3 in a folder spoof/",
        "label 1 and spoof type 0 in a folder spoof/",
        "not 44 whole numbers",
        "not 44 whole numbers",
        "label is 2, expected 0 (live) or 1 (attack)",
        "not like Data/train/1/live/000184.jpg",
        "not like Data/train/1/live/000184.jpg",
    ]


def test_absent_photos_are_all_named(root: Path) -> None:
    for name in ("000190.png", "000191.png"):
        (root / "Data/train/2/spoof" / name).unlink()
    with pytest.raises(DataError, match="2 problems") as caught:
        reader(root).samples("train")
    assert caught.value.problems[0].endswith("train_label.json: Data/train/2/spoof/000190.png: no such photo")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON: "), ("[]", "not a JSON object"), ("{}", "names no photos")],
)
def test_other_files_are_one_line(root: Path, text: str, message: str) -> None:
    (root / "metas/intra_test/test_label.json").write_text(text)
    with pytest.raises(DataError, match=message):
        reader(root).samples("test")


@pytest.mark.parametrize("box", ["300 300 50 50 0.9", "-80 -80 60 60 0.9", "-40 20 60 60 0.9"])
def test_a_box_outside_the_photo_is_not_used(root: Path, box: str) -> None:
    """Its corner, or an edge, would be written as a face."""
    photo(root, "Data/test/9/live/1.jpg", box)
    reader = CelebaSpoof(CelebaSpoofOptions(), root=root)
    assert reader.samples("test").box(0) is None


def test_lists_may_have_backslashes(root: Path) -> None:
    (root / "metas/intra_test/test_label.json").write_text(
        json.dumps({"Data\\test\\9\\live\\1.jpg": numbers(0)})
    )
    samples = CelebaSpoof(CelebaSpoofOptions(), root=root).samples("test")
    assert samples.paths("rgb") == [root / "Data/test/9/live/1.jpg"]
