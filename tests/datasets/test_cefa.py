from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.testing import open_dataset
from fas_plugins.datasets.cefa import Cefa, parse_video_name
from fas_plugins.datasets.options import CefaOptions


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def video(folder: Path, *names: str, color: str = "profile") -> None:
    for kind in (color, "depth", "ir"):
        for name in names:
            write(folder / kind / name)


def reader(root: Path, protocol: str = "4@1") -> Cefa:
    return Cefa(CefaOptions(protocol), root=root)  # type: ignore[arg-type]


@pytest.fixture
def challenge(tmp_path: Path) -> Path:
    """Sub-protocols 4@1 and 4@2 whole, and of 4@3 only the lists of train."""
    one, two = tmp_path / "phase1", tmp_path / "phase2"
    write(
        one / "4@1_train.txt", "train/1_031_1_1_1/profile/0001.jpg 1", "train/1_031_3_2_2/profile/0012.jpg 0"
    )
    write(one / "4@2_train.txt", "train/2_007_2_3_3/profile/0001.jpg 0")
    write(one / "4@3_train.txt", "train/3_400_4_1_4/profile/0001.jpg 0")
    for number, first in (("1", "003000"), ("2", "003200")):
        write(one / f"4@{number}_dev_res.txt", f"dev/{first}")
        video(one / "dev" / first, "0002.jpg", "0001.jpg")
    write(two / "4@1_test_res.txt", "test/000001", "test/000002")
    write(two / "4@2_test_res.txt", "test/000002", "test/000003")
    for name in ("000001", "000002", "000003"):
        video(two / "test" / name, "0001.jpg")
    return tmp_path


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """The folder that holds `CASIA_CeFA`."""
    home = tmp_path / "CASIA_CeFA"
    write(
        home / "protocol" / "CASIA_CeFA@p4.1_image_train.txt",
        "CASIA_CeFA/Ethnicity/AF/AF-120/1_120_1_1_1/color/0001.jpg 0",
        "CASIA_CeFA/Ethnicity/AF/AF-120/1_120_2_1_4/color/0003.jpg 1",
        "CASIA_CeFA/Mask/3D-Mask/1_05_2_1_3_2_4/color/0001.jpg 1",
        "CASIA_CeFA/Mask/Silicone-Mask/2_01_1_1_1_1_1/color/0001.jpg 1",
    )
    write(
        home / "protocol" / "CASIA_CeFA@p4.3_video_test.txt", "CASIA_CeFA/Ethnicity/CA/CA-301/2_301_1_1_1 0"
    )
    video(home / "Ethnicity/CA/CA-301/2_301_1_1_1", "0001.jpg", "0002.jpg", color="color")
    return tmp_path


def test_the_name_of_a_video_tells_who_how_and_what(challenge: Path) -> None:
    samples = reader(challenge).samples("train")
    assert samples.column("id") == [
        "train/1_031_1_1_1/profile/0001.jpg",
        "train/1_031_3_2_2/profile/0012.jpg",
    ]
    assert samples.column("video") == ["train/1_031_1_1_1", "train/1_031_3_2_2"]
    assert samples.column("frame") == [1, 12]
    assert samples.column("label") == [1, 0]
    assert samples.column("species") == ["live", "print_cloth"]
    assert samples.column("subject") == ["AF-031", "AF-031"]
    assert samples.column("group") == ["AF", "AF"]
    assert samples.column("device") == ["rssdk", "bag"]
    assert samples.column("session") == ["indoor", "outdoor"]
    place = challenge / "phase1/train/1_031_3_2_2"
    assert [samples.path(1, name) for name in ("rgb", "depth", "ir")] == [
        place / kind / "0012.jpg" for kind in ("profile", "depth", "ir")
    ]


def test_whole_videos_give_all_their_images_in_order_and_no_label(challenge: Path) -> None:
    folder = challenge / "phase1/dev/003000"
    video(folder, "10.jpg", "9.jpg")
    write(folder / "profile" / "Thumbs.db")
    samples = reader(challenge).samples("dev")
    assert samples.column("frame") == [1, 2, 9, 10]
    assert set(samples.column("video")) == {"dev/003000"}
    assert set(samples.column("label")) == {None}
    assert set(samples.column("species") + samples.column("subject")) == {None}
    assert all(path.is_file() for name in samples.modalities for path in samples.paths(name))


def test_phase_two_lies_in_its_own_folder(challenge: Path) -> None:
    samples = reader(challenge).samples("test")
    assert samples.column("id") == [f"test/00000{number}/profile/0001.jpg" for number in (1, 2)]
    assert samples.path(0, "ir") == challenge / "phase2/test/000001/ir/0001.jpg"


def test_a_phase_is_a_root_by_itself(challenge: Path) -> None:
    phase = reader(challenge / "phase1")
    assert phase.splits() == ("train", "dev")
    assert phase.samples("train").path(0, "rgb") == (challenge / "phase1/train/1_031_1_1_1/profile/0001.jpg")


def test_the_labelled_dev_list_is_preferred(challenge: Path) -> None:
    write(challenge / "phase1/4@1_dev_ref.txt", "dev/003000 1")
    assert reader(challenge).samples("dev").column("label") == [1, 1]
    assert reader(challenge).samples("dev").column("species") == ["live", "live"]


def test_the_union_has_each_image_once(challenge: Path) -> None:
    everything = reader(challenge, "4@all")
    assert everything.splits() == ("train", "dev", "test")
    assert everything.samples("train").column("group") == ["AF", "AF", "CA", "EA"]
    with pytest.raises(DataError, match="no 'test' list of 4@3: choose another `protocol`"):
        everything.samples("test")
    write(challenge / "phase2/4@3_test_res.txt", "test/000003")
    assert everything.samples("test").column("video") == [f"test/00000{number}" for number in (1, 2, 3)]


def test_the_union_takes_a_label_from_whichever_list_has_one(challenge: Path) -> None:
    write(challenge / "phase2/4@2_test_ref.txt", "test/000002 0", "test/000003 1")
    write(challenge / "phase2/4@3_test_res.txt", "test/000003")
    assert reader(challenge, "4@all").samples("test").column("label") == [None, 0, 1]


def test_lists_that_disagree_are_refused(challenge: Path) -> None:
    other = write(challenge / "phase1/4@3_train.txt", "train/1_031_1_1_1/profile/0001.jpg 0")
    with pytest.raises(DataError) as error:
        reader(challenge, "4@all").samples("train")
    assert error.value.problems == (
        f"{other}: train/1_031_1_1_1: label differs from that in an earlier list",
    )


def test_the_full_release_says_zero_for_live(full: Path) -> None:
    samples = reader(full).samples("train")
    assert samples.column("label") == [1, 0, 0, 0]
    assert samples.column("species") == ["live", "replay", "mask_3d", "mask_silicone"]
    assert samples.column("subject") == ["AF-120", "AF-120", "mask_3d-05", "mask_silicone-01"]
    assert samples.column("group") == ["AF", "AF", None, None]
    assert samples.column("device")[2:] == ["bag", "rssdk"]
    assert samples.column("session")[2:] == ["outdoor", "indoor"]


@pytest.mark.parametrize("below", [".", "CASIA_CeFA"])
def test_the_full_release_is_found_from_within_and_without(full: Path, below: str) -> None:
    """Its sub-protocols are numbered 1, 3 and 5; a list of videos serves where there is none of images."""
    samples = reader(full / below, "4@2").samples("test")
    assert samples.column("id") == [
        f"Ethnicity/CA/CA-301/2_301_1_1_1/color/000{number}.jpg" for number in (1, 2)
    ]
    assert samples.column("label") == [1, 1]
    assert all(path.is_file() for name in samples.modalities for path in samples.paths(name))


@pytest.mark.parametrize(
    ("name", "species", "group"),
    [
        ("1_031_1_1_9", None, "AF"),
        ("1_031_1_1_", None, "AF"),
        ("3_031_7_8_1", "live", "EA"),
        ("4_031_1_1_1", None, None),
        ("2_01_1_1_1_1", None, None),
        ("3_01_1_1_1_1_1", None, None),
        ("003000", None, None),
    ],
)
def test_names_with_unknown_codes_tell_what_they_can(
    name: str, species: str | None, group: str | None
) -> None:
    metadata = parse_video_name(f"train/{name}")
    assert (metadata.get("species"), metadata.get("group")) == (species, group)


def test_an_attack_of_unknown_kind_keeps_its_label(challenge: Path) -> None:
    write(challenge / "phase1/4@1_train.txt", "train/1_031_7_1_9/profile/0001.jpg 0")
    samples = reader(challenge).samples("train")
    assert samples.column("label") == [0]
    assert samples.column("species") + samples.column("device") == [None, None]


def test_images_without_depth_are_told(challenge: Path) -> None:
    (challenge / "phase1/dev/003000/depth/0002.jpg").unlink()
    samples = reader(challenge).samples("dev")
    assert samples.column("depth") == ["phase1/dev/003000/depth/0001.jpg", None]
    with pytest.raises(DataError, match="1 of 2 samples have no 'depth' image"):
        samples.need(("rgb", "depth"))


def test_lists_as_windows_leaves_them(challenge: Path) -> None:
    (challenge / "phase1/4@1_train.txt").write_bytes(
        b"\xef\xbb\xbftrain\\1_031_1_1_1\\profile\\0001.jpg 1 \r\n\r\ntrain/1_031_1_1_2/profile/1.JPG\t0\r\n"
    )
    samples = reader(challenge).samples("train")
    assert samples.column("rgb") == [
        "phase1/train/1_031_1_1_1/profile/0001.jpg",
        "phase1/train/1_031_1_1_2/profile/1.JPG",
    ]


def test_all_malformed_lines_are_named_at_once(challenge: Path) -> None:
    file = write(
        challenge / "phase1/4@1_train.txt",
        "train/1_031_1_1_1/profile/0001.jpg",
        "train/1_031_1_1_1/profile/0001.jpg 2",
        "train/1_031_1_1_1/color/0001.jpg 1",
        "",
        "profile/0001.jpg 1",
        "train/absent 1",
        "train/1_031_1_1_1/profile/0002.jpg 1",
        "train/1_031_1_1_1/profile/0002.jpg 1",
    )
    with pytest.raises(DataError) as error:
        reader(challenge).samples("train")
    assert error.value.problems == (
        f"{file}:1: 1 columns, expected 'path label'",
        f"{file}:2: label is '2', expected 0 or 1",
        f"{file}:3: 'train/1_031_1_1_1/color/0001.jpg' is not like train/1_031_1_1_1/profile/0001.jpg",
        f"{file}:5: 'profile/0001.jpg' is not like train/1_031_1_1_1/profile/0001.jpg",
        f"{file}:6: train/absent: no images in {challenge}/phase1/train/absent/profile",
        f"{file}:8: train/1_031_1_1_1/profile/0002.jpg is listed before",
    )


def test_roots_that_are_none_are_refused(challenge: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no list files of CeFA here"):
        reader(tmp_path / "elsewhere").splits()
    with pytest.raises(DataError, match=r"no 'test' split \(there are: train\)"):
        reader(challenge, "4@3").samples("test")
    write(challenge / "phase1/4@1_train.txt")
    with pytest.raises(DataError, match=r"4@1_train\.txt: the list is empty"):
        reader(challenge).samples("train")
    write(tmp_path / "protocol/CASIA_CeFA@p4.1_image_train.txt", "x 0")
    with pytest.raises(DataError, match="both releases"):
        reader(challenge).splits()


@pytest.mark.parametrize("release", ["challenge", "full"])
def test_its_layout_is_recognised(release: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(release)
    cefa = open_dataset(root, protocol="4@1")
    assert isinstance(cefa, Cefa)
    assert "train" in cefa.splits()
