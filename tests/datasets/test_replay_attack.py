"""Replay-Attack on a miniature tree in the documented layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.testing import check_dataset, open_dataset
from fas_plugins.datasets.options import ReplayAttackOptions
from fas_plugins.datasets.replay_attack import ReplayAttack

Touch = Callable[..., None]
ATTACKS = [
    "fixed/attack_print_client{}_session01_highdef_photo_adverse",
    "fixed/attack_highdef_client{}_session01_highdef_video_controlled",
    "hand/attack_mobile_client{}_session01_mobile_photo_adverse",
]


@pytest.fixture
def root(tmp_path: Path, touch: Touch) -> Path:
    """A person a split: one live video and three attacks, of two frames each."""
    for folder, client in (("train", "001"), ("devel", "101"), ("test", "009")):
        real = f"real/client{client}_session01_webcam_authenticate_adverse_1"
        for video in (real, *(f"attack/{name.format(client)}" for name in ATTACKS)):
            touch(tmp_path / folder / video, "0001.jpg", "0051.jpg")
        touch(tmp_path / folder, "attack/fixed/notes.txt")
    return tmp_path


def read(root: Path, split: str = "train", **options: str) -> list[str | None]:
    """The species of each video."""
    reader = ReplayAttack(ReplayAttackOptions(**options), root=root)  # type: ignore[arg-type]
    return reader.samples(split).column("species")[::2]  # type: ignore[no-any-return]


def test_folders_and_names_tell_everything(root: Path) -> None:
    reader = open_dataset(root)
    assert reader.splits() == ("train", "dev", "test")
    dev = reader.samples("dev")
    assert dev.labels.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert dev.column("species")[::2] == ["live", "replay_highdef", "print", "replay_mobile"]
    assert set(dev.column("subject")) == {"101"}
    assert dev.column("session")[::2] == ["adverse", "controlled", "adverse", "adverse"]
    assert dev.column("group")[::2] == [None, "fixed", "fixed", "hand"]
    assert dev.column("frame")[:2] == [1, 51]
    assert dev.column("video")[0] == "devel/real/client101_session01_webcam_authenticate_adverse_1"
    assert dev.column("rgb")[0] == f"{dev.column('video')[0]}/0001.jpg"
    check_dataset("replay_attack", root)


@pytest.mark.parametrize(
    ("protocol", "attacks"),
    [
        ("grandtest", ["replay_highdef", "print", "replay_mobile"]),
        ("print", ["print"]),
        ("mobile", ["replay_mobile"]),
        ("highdef", ["replay_highdef"]),
        ("photo", ["print", "replay_mobile"]),
        ("digitalphoto", ["replay_mobile"]),
        ("video", ["replay_highdef"]),
    ],
)
def test_a_protocol_has_some_of_the_attacks(root: Path, protocol: str, attacks: list[str]) -> None:
    assert read(root, protocol=protocol) == ["live", *attacks]


def test_attacks_by_their_support(root: Path) -> None:
    assert read(root, support="hand") == ["live", "replay_mobile"]
    assert read(root, support="fixed") == ["live", "replay_highdef", "print"]
    assert read(root, support="fixed", protocol="mobile") == ["live"]


def test_an_unknown_medium_is_a_species_of_its_own(root: Path, touch: Touch) -> None:
    touch(root / "train/attack/hand/attack_mask_client001_session01_highdef_photo_adverse", "1.jpg", "2.jpg")
    assert read(root)[-2:] == ["mask", "replay_mobile"]


def test_other_names_and_empty_folders_are_all_named(root: Path, touch: Touch) -> None:
    touch(root / "test", "real/client9/0001.jpg", "attack/hand/selfie/0001.jpg")
    with pytest.raises(DataError, match="2 problems") as caught:
        read(root, "test")
    assert caught.value.problems == (
        f"{root}/test/real: 'client9' is not like client001_session01_webcam_authenticate_adverse_1",
        f"{root}/test/attack/hand: 'selfie' is not like "
        "attack_print_client001_session01_highdef_photo_adverse",
    )
    real = "client101_session01_webcam_authenticate_controlled_2"
    touch(root / "devel/real", f"{real}.mov")
    with pytest.raises(DataError, match="1 problem") as caught:
        read(root, "dev")
    assert caught.value.problems == (f"{root}/devel/real: no frames in {root}/devel/real/{real}",)


def test_video_files_alone_are_one_line(tmp_path: Path, touch: Touch) -> None:
    touch(tmp_path / "devel/real", "client101_session01_webcam_authenticate_adverse_1.mov")
    with pytest.raises(DataError, match=rf"run `fas data frames {tmp_path} FRAMES` and read FRAMES$"):
        read(tmp_path, "dev")


def test_another_folder_is_one_line(tmp_path: Path, root: Path) -> None:
    with pytest.raises(DataError, match="no train/real here"):
        read(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"no 'devel' split \(there are: train, dev, test\)"):
        read(root, "devel")
