from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.casia_surf import CasiaSurf
from fas_plugins.datasets.options import CasiaSurfOptions

FAKE = "Training/fake_part/CLKJ_AS0005/05_enm_s.rssdk"
REAL = "Training/real_part/CLKJ_AS0137/real.rssdk"


def line(folder: str, number: int, label: str = "") -> str:
    paths = " ".join(f"{folder}/{kind}/{number}.jpg" for kind in ("color", "depth", "ir"))
    return f"{paths} {label}".strip()


def reader(root: Path, lists: str = ".") -> CasiaSurf:
    return CasiaSurf(CasiaSurfOptions(lists), root=root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    train = f"{line(FAKE, 101, '0')}\r\n{line(REAL, 7, '1')} \r\n\r\n"
    (tmp_path / "train_list.txt").write_bytes(train.encode())
    val = "Val/0000/000000-color.jpg Val/0000/000000-depth.jpg Val/0000/000000-ir.jpg"
    (tmp_path / "val_public_list.txt").write_text(f"{val} \n{val.replace('000000-', '000001-')} \n")
    return tmp_path


def test_species_and_subject_come_from_the_path(root: Path) -> None:
    samples = reader(root).samples("train")
    assert samples.modalities == ("rgb", "depth", "ir")
    assert samples.column("id") == [f"{FAKE}/color/101.jpg", f"{REAL}/color/7.jpg"]
    assert samples.column("label") == [0, 1]
    assert samples.column("species") == ["05_enm_s", "live"]
    assert samples.column("subject") == ["CLKJ_AS0005", "CLKJ_AS0137"]
    assert samples.path(1, "ir") == root / REAL / "ir/7.jpg"


def test_a_public_list_has_no_labels(root: Path) -> None:
    samples = reader(root).samples("dev")
    assert reader(root).splits() == ("train", "dev")
    assert samples.column("label") == [None, None]
    assert samples.column("species") == [None, None]
    assert samples.counts() == {"unknown": 2, "total": 2}


def test_the_private_list_is_preferred(root: Path) -> None:
    (root / "val_private_list.txt").write_text("Val/0-color.jpg Val/0-depth.jpg Val/0-ir.jpg 1\n")
    assert reader(root).samples("dev").column("label") == [1]


def test_a_manifest_says_more_than_the_path(root: Path) -> None:
    lists = root / "lists"
    lists.mkdir()
    (root / "train_list.txt").rename(lists / "train_list.txt")
    (root / "manifest.csv").write_text(
        f"id,species,group\n{FAKE}/color/101.jpg,replay,AF\nelsewhere.jpg,x,y\n"
    )
    samples = reader(root, "lists").samples("train")
    assert samples.column("species") == ["replay", "live"]
    assert samples.column("group") == ["AF", None]
    assert samples.column("subject") == ["CLKJ_AS0005", "CLKJ_AS0137"]


def test_a_manifest_without_ids_is_refused(root: Path) -> None:
    (root / "manifest.csv").write_text("species\nprint\n")
    with pytest.raises(DataError, match=r"manifest\.csv: no 'id' column"):
        reader(root).samples("train")


def test_all_malformed_lines_are_named_at_once(root: Path) -> None:
    file = root / "train_list.txt"
    good = line(REAL, 1, "1")
    file.write_text("\n".join([good, "a b", line(REAL, 2, "2"), "", line(REAL, 3), line(REAL, 4, "0")]))
    with pytest.raises(DataError) as error:
        reader(root).samples("train")
    assert error.value.problems == (
        f"{file}:2: 2 columns, expected 'color depth ir label'",
        f"{file}:3: label is '2', expected 1 (live) or 0 (attack)",
        f"{file}:5: 3 columns, expected 'color depth ir label'",
    )


def test_of_very_many_problems_the_first_are_shown(root: Path) -> None:
    (root / "train_list.txt").write_text("nonsense\n" * 100)
    with pytest.raises(DataError, match="100 problems") as error:
        reader(root).samples("train")
    assert len(error.value.problems) == 21
    assert error.value.problems[-1] == "and 80 more"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the list is empty"),
        (b"\n \r\n", "the list is empty"),
        (b"\xff\xfe\x00", "not a text file"),
        (f"{line(REAL, 1, '1')}\n{line(REAL, 1, '1')}".encode(), "id given twice"),
    ],
)
def test_a_list_that_is_none_is_refused(root: Path, content: bytes, message: str) -> None:
    (root / "train_list.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        reader(root).samples("train")


def test_lone_carriage_returns_end_lines(root: Path) -> None:
    (root / "train_list.txt").write_bytes(f"{line(REAL, 1, '1')}\r{line(FAKE, 2, '0')}\r".encode())
    assert reader(root).samples("train").column("label") == [1, 0]


def test_splits_without_a_list_are_refused(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(DataError, match=r"no 'test' split \(there are: train, dev\)"):
        reader(root).samples("test")
    with pytest.raises(DataError, match="no list files here"):
        reader(tmp_path_factory.mktemp("empty")).splits()


def test_lists_may_have_backslashes(root: Path) -> None:
    file = root / "train_list.txt"
    file.write_bytes(file.read_bytes().replace(b"/", b"\\"))
    samples = reader(root).samples("train")
    assert samples.path(0, "rgb") == root / FAKE / "color/101.jpg"
    assert samples.column("species") == ["05_enm_s", "live"]
