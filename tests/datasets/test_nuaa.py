from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.nuaa import Nuaa
from fas_plugins.datasets.options import NuaaOptions

LISTS = {
    "client_train_raw.txt": [
        "0001/0001_00_00_01_0.jpg",
        "0009/0009_01_05_02_7.jpg",
        "0018/0018_00_00_01_1.jpg",
    ],
    "client_test_raw.txt": ["0004/0004_00_01_03_3.jpg", "0010/0010_01_05_03_115.jpg", "0021/irina (98).jpeg"],
    "imposter_train_raw.txt": ["0002/0002_00_00_01_0.jpg"],
    "imposter_test_raw.txt": [
        "0001/0001_00_03_03_0.jpg",
        "0016/0016_00_03_03_0.jpg",
        "0016/0016_00_03_03_1.jpg",
    ],
}
PRESENT = [f"{number:04}" for number in range(1, 17)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    ends = iter(["\r\n", "\r", "\n", "\r\n"])
    for name, lines in LISTS.items():
        (tmp_path / name).write_bytes(next(ends).join(lines).encode())
        folder = "ClientRaw" if name.startswith("client") else "ImposterRaw"
        for line in lines:
            path = tmp_path / folder / line
            if line[:4] in PRESENT:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
                (path.parent / "Thumbs.db").touch()
    return tmp_path


def reader(root: Path, protocol: str = "subject_disjoint") -> Nuaa:
    return Nuaa(NuaaOptions(protocol), root=root)  # type: ignore[arg-type]


def test_the_subject_disjoint_protocol(root: Path) -> None:
    nuaa = reader(root)
    subjects = {split: nuaa.samples(split).column("subject") for split in nuaa.splits()}
    assert subjects == {
        "train": ["0001", "0009", "0002"],
        "dev": ["0004", "0001"],
        "test": ["0010", "0016", "0016"],
    }
    assert nuaa.overlaps == (("train", "dev"),)


def test_the_official_protocol_is_by_session_and_has_no_dev(root: Path) -> None:
    nuaa = reader(root, "official")
    assert nuaa.splits() == ("train", "test")
    assert nuaa.samples("train").column("session") == ["01", "02", "01"]
    assert set(nuaa.samples("test").column("session")) == {"03"}
    assert nuaa.overlaps == (("train", "test"),)
    with pytest.raises(DataError, match=r"no 'dev' split \(there are: train, test\)"):
        nuaa.samples("dev")


def test_what_is_known_of_a_photo(root: Path) -> None:
    samples = reader(root).samples("test")
    assert samples.column("id") == samples.column("rgb")
    assert samples.column("label") == [1, 0, 0]
    assert samples.column("species") == ["live", "print", "print"]
    assert samples.path(0, "rgb") == root / "ClientRaw/0010/0010_01_05_03_115.jpg"
    assert samples.paths("rgb")[1].is_file()


def test_absent_photos_are_noted_and_the_others_kept(root: Path) -> None:
    assert reader(root).notes == (
        "2 of 10 listed photos are missing, all photos of subjects 0018, 0021 among them; "
        "the others are used",
    )
    (root / "ClientRaw/0009/0009_01_05_02_7.jpg").unlink()
    assert reader(root).samples("train").column("subject") == ["0001", "0002"]


def test_a_split_without_a_class_is_refused(root: Path) -> None:
    (root / "ClientRaw/0010/0010_01_05_03_115.jpg").unlink()
    with pytest.raises(DataError, match="no live photos in the 'test' split"):
        reader(root).samples("test")


def test_malformed_lines_and_missing_lists_are_refused(root: Path) -> None:
    file = root / "imposter_test_raw.txt"
    file.write_text("0001/a.jpg\nwhat is this\n\n1/b.jpg\n")
    with pytest.raises(DataError) as error:
        reader(root).samples("test")
    assert [problem.split(": ")[0] for problem in error.value.problems] == [f"{file}:2", f"{file}:4"]
    file.unlink()
    with pytest.raises(DataError, match=r"imposter_test_raw\.txt: no such list"):
        reader(root).samples("test")


def test_lists_may_use_backslashes(root: Path) -> None:
    (root / "client_train_raw.txt").write_text("0001\\0001_00_00_01_0.jpg\n")
    assert reader(root).samples("train").column("id")[0] == "ClientRaw/0001/0001_00_00_01_0.jpg"
