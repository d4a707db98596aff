"""WMCA on a miniature tree in the documented layout, its frames as images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result

from fas_core import DataError
from fas_core.testing import check_dataset, open_dataset
from fas_plugins.datasets.options import WmcaOptions
from fas_plugins.datasets.wmca import Wmca, get_instrument

Write = Callable[..., Path]
STATION = "face-station/12.02.18"
SIZES = {"color": (32, 24), "depth": (16, 12), "infrared": (8, 8), "thermal": (6, 9)}
VIDEOS = {
    "035_01_000_0_01": ("bonafide", "", "train"),
    "100_03_015_2_10": ("attack", "attack/3D/papermask", "train"),
    "036_01_000_0_00": ("bonafide", "", "dev"),
    "018_02_000_3_06": ("attack", "attack/2D/prints", "dev"),
    "037_01_000_0_00": ("bonafide", "", "eval"),
    "514_01_035_1_05": ("attack", "attack/3D/glasses", "eval"),
    "600_01_035_7_01": ("attack", "attack/3D/wax", "eval"),
}


@pytest.fixture
def root(tmp_path: Path, write: Write) -> Path:
    """Two frames of each video, every modality in a size of its own."""
    shade = iter(range(256))
    for video in VIDEOS:
        for folder, (height, width) in SIZES.items():
            place = tmp_path / STATION / video / folder
            place.mkdir(parents=True)
            for frame in ("0000", "0009"):
                cv2.imwrite(str(place / f"{frame}.png"), np.full((height, width), next(shade), np.uint8))
    lines = [f"{STATION}/{video},{','.join(words)}" for video, words in VIDEOS.items()]
    write(tmp_path / "protocols/PROTOCOL-grandtest.csv", *lines, end=" \r\n")
    return tmp_path


def read(root: Path, split: str = "train", protocol: str = "grandtest") -> list[str]:
    reader = Wmca(WmcaOptions(protocol), root=root)  # type: ignore[arg-type]
    return reader.samples(split).column("species")[::2]  # type: ignore[no-any-return]


def test_lists_and_names_tell_everything(root: Path) -> None:
    wmca = open_dataset(root)
    train = wmca.samples("train")
    assert train.modalities == ("rgb", "depth", "ir", "thermal")
    assert train.column("id")[0] == f"{STATION}/035_01_000_0_01/0000"
    assert train.column("ir")[1] == f"{STATION}/035_01_000_0_01/infrared/0009.png"
    assert train.labels.tolist() == [1, 1, 0, 0]
    assert train.column("subject")[::2] == ["035", "100"]
    assert train.column("session")[::2] == ["01", "03"]
    assert train.column("frame") == [0, 9, 0, 9]
    assert train.column("species")[::2] == ["live", "papermask"]
    assert read(root, "dev") == ["live", "print"]
    assert read(root, "test") == ["live", "glasses", "wax"]
    check_dataset("wmca", root)


def test_images_of_other_sizes_are_sound(root: Path, fas: Callable[..., Result]) -> None:
    (report,) = json.loads(fas("data", "check", f"wmca:{root}", "--json").stdout).values()
    assert (report["problems"], report["files"]) == ([], 7 * 2 * 4)
    assert {count["modalities"]["thermal"] for count in report["counts"]} == {2}


def test_some_modalities_of_some_frames_may_be_missing(root: Path) -> None:
    (root / STATION / "100_03_015_2_10/thermal/0009.png").unlink()
    (root / STATION / "035_01_000_0_01/infrared").rename(root / STATION / "035_01_000_0_01/ir")
    train = Wmca(WmcaOptions(), root=root).samples("train")
    assert train.column("thermal")[3] is None
    assert train.column("ir")[0] == f"{STATION}/035_01_000_0_01/ir/0000.png"
    assert len(train) == 4


def test_a_header_and_hdf5_names_are_taken(root: Path, write: Write) -> None:
    names = [f"{STATION}/035_01_000_0_01.hdf5,train", r"face-station\12.02.18\100_03_015_2_10,eval"]
    write(root / "PROTOCOL-LOO_papermask.csv", "filename,set", "", *names)
    assert read(root, "train", "LOO_papermask") == ["live"]
    assert read(root, "test", "LOO_papermask") == ["papermask"]
    with pytest.raises(DataError, match=r"PROTOCOL-LOO_papermask\.csv: no videos of this split"):
        read(root, "dev", "LOO_papermask")


def test_malformed_lines_are_all_named(root: Path, write: Write) -> None:
    good = f"{STATION}/035_01_000_0_01"
    file = write(root / "PROTOCOL-LOO_glasses.csv", f"{good},bonafide,,train", f"{good},attack", good)
    with pytest.raises(DataError) as caught:
        read(root, protocol="LOO_glasses")
    assert caught.value.problems == (
        f"{file}:2: the last of 2 columns is 'attack', expected train, dev or eval",
        f"{file}:3: the last of 1 columns is '{good}', expected train, dev or eval",
    )
    lines = [f"{good},attack,,train", "035_01_000_0,bonafide,,train", f"{STATION}/1_1_1_0_0,bonafide,,train"]
    write(file, *lines, f"../{good},bonafide,,train")
    with pytest.raises(DataError) as caught:
        read(root, protocol="LOO_glasses")
    assert caught.value.problems == (
        f"{file}:1: attack 035_01_000_0_01, whose type 0 says otherwise",
        f"{file}:2: '035_01_000_0' is not like face-station/12.02.18/100_03_015_2_10",
        f"{file}:4: '../{good}' is not like face-station/12.02.18/100_03_015_2_10",
    )
    write(file, lines[2])
    with pytest.raises(DataError, match="1 problem") as caught:
        read(root, protocol="LOO_glasses")
    assert caught.value.problems == (f"{file}:1: no frames in {root}/{STATION}/1_1_1_0_0",)


def test_a_missing_list_is_one_line(root: Path) -> None:
    with pytest.raises(DataError, match=r"no PROTOCOL-LOO_replay\.csv here or one folder down"):
        read(root, protocol="LOO_replay")


@pytest.mark.parametrize(
    ("kind", "number", "species"),
    [
        ("1", 7, "glasses"),
        ("1", 2, "rigidmask"),
        ("1", 14, "rigidmask"),
        ("1", 16, "glasses"),
        ("1", 12, "wig"),
        ("2", 6, "fakehead"),
        ("2", 17, "rigidmask"),
        ("2", 18, "flexiblemask"),
        ("2", 44, None),
        ("2", 99, "flexiblemask"),
        ("3", 5, "replay"),
        ("3", 14, "print"),
        ("4", 18, "replay"),
        ("5", 139, "makeup"),
        ("2", 0, None),
        ("4", 19, None),
        ("9", 1, None),
    ],
)
def test_instruments_have_numbers(kind: str, number: int, species: str | None) -> None:
    assert get_instrument(kind, number) == species
