from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.records.samples import SampleTable
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
        (["photos/1.jpg"], "holds neither live/ and attack/ nor train/"),
        (["train/live/1.jpg", "live/1.jpg"], "holds train, live side by side"),
        (["dev/live/1.jpg", "val/live/1.jpg"], "holds dev, val side by side"),
        (["live/1.jpg", "spoof/1.jpg"], "spoof: neither live/ nor attack/: rename or remove it"),
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
    with pytest.raises(DataError, match="train: neither live/ nor attack/ in this folder"):
        tree(tmp_path, "test/live/1.jpg").samples("train")
