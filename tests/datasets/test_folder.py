from pathlib import Path

import pytest

from fas_core import DataError, SampleTable
from fas_plugins.datasets.folder import Folder
from fas_plugins.datasets.options import FolderOptions


def tree(root: Path, *files: str) -> Folder:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return Folder(FolderOptions(), root=root)


def paths(samples: SampleTable) -> dict[str, tuple[str | None, ...]]:
    columns = [samples.column(name) for name in samples.modalities]
    return dict(zip(samples.column("id"), zip(*columns, strict=True), strict=True))


def test_a_plain_folder_is_rgb_and_test(tmp_path: Path) -> None:
    reader = tree(
        tmp_path, "live/a/1.jpg", "attack/print/2.PNG", "attack/3.jpg", "live/Thumbs.db", "live/.x.jpg"
    )
    samples = reader.samples("test")
    assert reader.splits() == ("test",)
    assert samples.modalities == ("rgb",)
    assert samples.column("id") == ["attack/3", "attack/print/2", "live/a/1"]
    assert samples.column("rgb") == ["attack/3.jpg", "attack/print/2.PNG", "live/a/1.jpg"]
    assert samples.column("label") == [0, 0, 1]
    assert samples.column("species") == [None, "print", "live"]


def test_modalities_are_sub_folders(tmp_path: Path) -> None:
    reader = tree(
        tmp_path,
        "live/rgb/x.jpg",
        "live/depth/x.png",
        "attack/mask/s1/color/y.jpg",
        "attack/mask/s1/depth/y.jpg",
    )
    samples = reader.samples("test")
    assert samples.modalities == ("rgb", "depth")
    assert paths(samples) == {
        "attack/mask/s1/y": ("attack/mask/s1/color/y.jpg", "attack/mask/s1/depth/y.jpg"),
        "live/x": ("live/rgb/x.jpg", "live/depth/x.png"),
    }
    assert samples.column("species") == ["mask", "live"]


def test_modalities_are_suffixes(tmp_path: Path) -> None:
    reader = tree(
        tmp_path, "live/x_rgb.jpg", "live/x_ir.jpg", "attack/replay/y-color.jpg", "attack/replay/y-Depth.png"
    )
    samples = reader.samples("test")
    assert samples.modalities == ("rgb", "depth", "ir")
    assert paths(samples) == {
        "attack/replay/y": ("attack/replay/y-color.jpg", "attack/replay/y-Depth.png", None),
        "live/x": ("live/x_rgb.jpg", None, "live/x_ir.jpg"),
    }
    with pytest.raises(DataError, match="1 of 2 samples have no 'depth' image"):
        samples.need(["depth"])


def test_names_that_only_look_like_modalities(tmp_path: Path) -> None:
    samples = tree(tmp_path, "live/rgb.jpg", "live/my_photo.jpg", "live/_ir.jpg").samples("test")
    assert samples.column("id") == ["live/_ir", "live/my_photo", "live/rgb"]
    assert samples.modalities == ("rgb",)


def test_a_split_level(tmp_path: Path) -> None:
    reader = tree(
        tmp_path, "train/live/1.jpg", "train/attack/print/1.jpg", "val/live/1.jpg", "test/attack/print/9.jpg"
    )
    assert reader.splits() == ("train", "dev", "test")
    assert reader.samples("train").column("id") == ["train/attack/print/1", "train/live/1"]
    assert reader.samples("train").column("species") == ["print", "live"]
    assert reader.samples("dev").column("id") == ["val/live/1"]
    assert reader.samples("test").column("label") == [0]
    assert reader.samples("dev").path(0, "rgb") == tmp_path / "val/live/1.jpg"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["photos/1.jpg", "2.jpg"],
            r"holds the folders photos/ and 2 images, but no folder of a class \(live, re",
        ),
        (["a.jpg"], "holds no folders and 1 image, but no folder of a class"),
        (["train/live/1.jpg", "live/1.jpg"], "holds train, live side by side"),
        (["dev/live/1.jpg", "val/live/1.jpg"], "'dev' and 'val' both mean 'dev'"),
        (["eval/live/1.jpg", "test/live/1.jpg"], "'eval' and 'test' both mean 'test'"),
        (["live/1.jpg", "Real/1.jpg"], "'Real' and 'live' both mean 'live'"),
        (["attack/1.jpg", "spoof/1.jpg"], "'attack' and 'spoof' both mean 'attack'"),
        (
            ["live/1.jpg", "print/1.jpg", "print/2.jpg"],
            "print/: 2 images of no known class: .*name it live, real",
        ),
        (["live/1.jpg", "2.jpg"], "the folder itself: 1 image of no known class"),
        (
            ["train/live/1.jpg", "extra/live/1.jpg", "2.jpg"],
            r"2 problems\n.*\n  extra/: 1 image of no known split",
        ),
        (
            ["live/train/1.jpg", "spoof/test/1.jpg"],
            r"spoof/test/: a split in .* class: move it to test/spoof/",
        ),
        (["train/live/1.jpg", "train/mask/1.jpg"], "train/mask/: 1 image of no known class"),
        (["train/live/1.jpg", "train/1.jpg"], "train/: 1 image of no known class"),
        (["live/1.jpg", "attack/notes.txt"], "attack: no images in this folder"),
        (["live/1.jpg", "live/1.png"], r"live/1\.\w+: the sample has a rgb image, live/1\.\w+"),
        (["live/1_rgb.jpg", "live/rgb/1.jpg"], "the sample has a rgb image"),
    ],
)
def test_what_is_laid_out_otherwise_is_refused(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        tree(tmp_path, *files).samples("test" if files[0][0] != "t" else "train")


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="train: no folder of a class: live, real"):
        tree(tmp_path, "test/live/1.jpg").samples("train")


@pytest.mark.parametrize(
    ("train", "dev", "test"),
    [("train", "valid", "test"), ("Training", "devel", "eval"), ("train", "val", "Testing")],
)
@pytest.mark.parametrize(
    ("live", "attack"), [("real", "fake"), ("genuine", "imposter"), ("Bona_Fide", "attacks")]
)
def test_usual_names_of_folders(
    tmp_path: Path, train: str, dev: str, test: str, live: str, attack: str
) -> None:
    names = [f"{split}/{name}/print/1.jpg" for split in (train, dev, test) for name in (live, attack)]
    reader = tree(tmp_path, *names)
    assert reader.splits() == ("train", "dev", "test")
    for split, folder in (("train", train), ("dev", dev), ("test", test)):
        samples = reader.samples(split)
        ids = [f"{folder}/{live}/print/1", f"{folder}/{attack}/print/1"]
        assert dict(zip(samples.column("id"), samples.column("label"), strict=True)) == {ids[0]: 1, ids[1]: 0}
        assert sorted(samples.column("species")) == ["live", "print"]
    assert f"{attack!r} as 'attack'" in " ".join(reader.notes)
    assert f"{dev!r} as 'dev'" in " ".join(reader.notes)


def test_own_names_need_no_note(tmp_path: Path) -> None:
    assert tree(tmp_path, "train/live/1.jpg", "test/attack/1.jpg").notes == ()


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    reader = tree(
        tmp_path, "live/1.jpg", "live/2.heic", "attack/3.PNG", "attack/notes.txt", "attack/clip.mp4"
    )
    assert len(reader.samples("test")) == 2
    assert reader.notes == (
        "3 files left out: 1 .heic, 1 .mp4, 1 .txt (`fas data frames` makes images of videos)",
    )
    assert reader.listing.undecodable == ("live/2.heic",)


def test_images_of_other_endings_are_read(tmp_path: Path) -> None:
    reader = tree(tmp_path, "live/1.jfif", "live/2.pgm", "attack/3.GIF")
    (tmp_path / "attack/4").write_bytes(bytes.fromhex("ffd8ffe000104a464946000101"))  # a JPEG without ending
    assert reader.samples("test").column("id") == ["attack/3", "attack/4", "live/1", "live/2"]


def test_hidden_folders_hold_no_samples(tmp_path: Path) -> None:
    reader = tree(tmp_path, "live/1.jpg", "live/.ipynb_checkpoints/1-checkpoint.jpg", ".cache/2.jpg")
    assert reader.samples("test").column("id") == ["live/1"]
    assert reader.notes == ()


def test_a_folder_of_frames_named_like_a_video_is_a_folder(tmp_path: Path) -> None:
    reader = tree(tmp_path, "live/clip.mp4/0001.jpg", "attack/print/b.mov/0001.jpg")
    assert reader.samples("test").column("id") == ["attack/print/b.mov/0001", "live/clip.mp4/0001"]


def test_folders_without_images_do_not_count(tmp_path: Path) -> None:
    reader = tree(tmp_path, "live/1.jpg", "docs/readme.txt")
    assert len(reader.samples("test")) == 1
    assert reader.notes == ("1 file left out: 1 .txt",)
