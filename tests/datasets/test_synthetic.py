"""The embedded data set: files in CASIA-SURF's layout, protocols that keep people and species apart."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import attrs
import cv2
import pytest

from fas_core.errors import DataError, FasError
from fas_plugins.datasets.casia_surf import CasiaSurf
from fas_plugins.datasets.options import CasiaSurfOptions
from fas_plugins.datasets.simulator import dataset_files
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.synthetic import Synthetic

SMALL = SyntheticOptions(subjects=9, shots=1, size=48)
PROTOCOLS = ("grandtest", "unseen_species", "unseen_group")
SPLITS = ("train", "dev", "test")
SPECIES = {"live", "print", "print_bent", "print_cut", "replay", "mask_3d"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simulated") / "data"
    Synthetic(SMALL, root=root).prepare()
    return root


def reader(root: Path, protocol: str = "grandtest") -> Synthetic:
    return Synthetic(attrs.evolve(SMALL, protocol=protocol), root=root)


def values(root: Path, protocol: str, split: str, column: str) -> set[str]:
    return set(reader(root, protocol).samples(split).column(column))


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_subjects_are_in_one_split(root: Path, protocol: str) -> None:
    train, dev, test = (values(root, protocol, split, "subject") for split in SPLITS)
    assert train
    assert dev
    assert test
    assert len(train | dev | test) == len(train) + len(dev) + len(test)


def test_a_subject_keeps_its_split_in_every_protocol(root: Path) -> None:
    for protocol in PROTOCOLS:
        for split in SPLITS:
            assert values(root, protocol, split, "subject") <= values(root, "grandtest", split, "subject")


def test_grandtest_has_all_species_and_groups_in_every_split(root: Path) -> None:
    for split in SPLITS:
        assert values(root, "grandtest", split, "species") == SPECIES
        assert values(root, "grandtest", split, "group") == {"light", "medium", "dark"}


def test_unseen_species_are_in_test_only(root: Path) -> None:
    train, dev, test = (values(root, "unseen_species", split, "species") for split in SPLITS)
    assert train == dev
    assert train & test == {"live"}
    assert train | test == SPECIES


def test_unseen_group_is_in_test_only(root: Path) -> None:
    train, dev, test = (values(root, "unseen_group", split, "group") for split in SPLITS)
    assert train == dev == {"light", "medium"}
    assert test == {"dark"}
    assert values(root, "unseen_group", "test", "species") == SPECIES


def test_labels_follow_the_species(root: Path) -> None:
    samples = reader(root).samples("train")
    assert samples.counts() == {"live": 9, "attack": 15, "total": 24}
    for label, species in zip(samples.column("label"), samples.column("species"), strict=True):
        assert label == (species == "live")


def test_every_image_can_be_read_and_is_used(root: Path) -> None:
    listed = set()
    for split in SPLITS:
        samples = reader(root).samples(split)
        assert samples.modalities == ("rgb", "depth", "ir")
        for modality, side in (("rgb", 48), ("depth", 36), ("ir", 36)):
            for path in samples.paths(modality):
                image = cv2.imread(str(path))
                assert image is not None
                assert image.shape == (side, side, 3)
                listed.add(path)
    assert listed == set(root.rglob("*.jpg"))


def test_the_folder_is_casia_surf_for_whoever_reads_it(root: Path) -> None:
    line = (root / "train_list.txt").read_text().splitlines()[0].split(" ")
    assert len(line) == 4
    assert line[3] == "1"
    assert all((root / path).is_file() for path in line[:3])
    plain = CasiaSurf(CasiaSurfOptions(), root=root)
    assert plain.samples("test").table.equals(reader(root).samples("test").table)


def test_manifest_and_note(root: Path) -> None:
    with (root / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "species", "subject", "group"]
    assert len(rows) == len({row["id"] for row in rows}) == 72
    about = json.loads((root / "simulator.json").read_text())
    assert about["samples"] == 72
    assert about["made_with"] == {"version": 1, "subjects": 9, "shots": 1, "size": 48, "seed": 0}
    assert "not that faces are protected" in about["note"]
    assert reader(root).notes == (about["note"],)


def test_same_options_give_the_same_bytes_whatever_the_workers(root: Path, tmp_path: Path) -> None:
    dataset_files.write_dataset(tmp_path / "again", SMALL, workers=0)
    assert files(tmp_path / "again") == files(root)


def test_prepare_returns_at_once_when_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "render_shot", None)
    for protocol in PROTOCOLS:
        reader(root, protocol).prepare()


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def capture(shot: object, seed: int, size: int) -> dict[str, object]:
        taken.append(shot)
        if len(taken) > 20:
            raise KeyboardInterrupt
        return real(shot, seed, size)

    real = dataset_files.render_shot
    monkeypatch.setattr(dataset_files, "render_shot", capture)
    with pytest.raises(KeyboardInterrupt):
        Synthetic(SMALL, root=tmp_path / "data").prepare()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FasError, match="cannot be written"):
        Synthetic(SMALL, root=tmp_path / "file" / "data").prepare()


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"size": 64}, {"shots": 2}, {"subjects": 12}],
    ids=lambda change: next(iter(change)),
)
def test_other_options_are_never_served(root: Path, change: dict[str, int]) -> None:
    other = Synthetic(attrs.evolve(SMALL, **change), root=root)
    (name, value), *_ = change.items()
    for use in (other.prepare, other.splits, lambda: other.samples("train")):
        with pytest.raises(DataError, match=f"{name} {getattr(SMALL, name)}, and not {name} {value}"):
            use()


def test_other_versions_are_never_served(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "VERSION", 2)
    with pytest.raises(DataError, match="version 1, and not version 2"):
        reader(root).prepare()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="other things"):
        Synthetic(SMALL, root=tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"made_with": 3}'])
def test_a_spoilt_note_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "simulator.json").write_text(text)
    with pytest.raises(DataError, match="simulator's note"):
        Synthetic(SMALL, root=tmp_path).prepare()


def test_reading_before_making(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fas data make"):
        Synthetic(SMALL, root=tmp_path / "data").samples("train")


def test_an_unknown_split(root: Path) -> None:
    with pytest.raises(DataError, match="train, dev, test"):
        reader(root).samples("validation")


def test_the_cache_folder_differs_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAS_CACHE_DIR", str(tmp_path))
    first = Synthetic(SMALL).root
    assert first.parent == tmp_path
    assert Synthetic(attrs.evolve(SMALL, protocol="unseen_group")).root == first
    for change in ({"seed": 1}, {"size": 64}, {"shots": 2}, {"subjects": 12}):
        assert Synthetic(attrs.evolve(SMALL, **change)).root != first
    monkeypatch.setattr(dataset_files, "VERSION", 2)
    assert Synthetic(SMALL).root != first


def test_the_cache_folder_is_the_users_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAS_CACHE_DIR", raising=False)
    assert Synthetic(SMALL).root.parent.name == "fas"


@pytest.mark.parametrize(
    "wrong", [{"protocol": "unseen"}, {"subjects": 8}, {"shots": 0}, {"size": 32}, {"seed": -1}]
)
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SyntheticOptions(**wrong)
