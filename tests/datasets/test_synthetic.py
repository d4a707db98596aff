"""The simulated data set: it reads like CASIA-SURF, and its splits keep people, species and groups apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import cv2
import pytest

from fas_core import DataError, FasError
from fas_core.testing import check_dataset
from fas_plugins.datasets.casia_surf import CasiaSurf
from fas_plugins.datasets.options import CasiaSurfOptions
from fas_plugins.datasets.simulator import dataset_files
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.synthetic import Synthetic

PROTOCOLS = ("grandtest", "unseen_species", "unseen_group")
SPLITS = ("train", "dev", "test")
SPECIES = {"live", "print", "print_bent", "print_cut", "replay", "mask_3d"}
SMALL = SyntheticOptions(subjects=9, shots=1, size=48)
"""Of the data set `fas_simulator`."""
CHANGES = ({"seed": 1}, {"size": 64}, {"shots": 2}, {"subjects": 12})


@pytest.fixture
def root(fas_simulator: dict[str, Any]) -> Path:
    return Path(fas_simulator["root"])


def reader(root: Path, protocol: str = "grandtest") -> Synthetic:
    return Synthetic(attrs.evolve(SMALL, protocol=protocol), root=root)


def test_it_keeps_the_contract(root: Path) -> None:
    check_dataset("synthetic", root, SMALL)


def values(root: Path, protocol: str, split: str, column: str) -> set[str]:
    return set(reader(root, protocol).samples(split).column(column))


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


def test_the_folder_reads_as_casia_surf(root: Path) -> None:
    plain = CasiaSurf(CasiaSurfOptions(), root=root)
    assert plain.samples("test").table.equals(reader(root).samples("test").table)


def test_the_note_says_that_faces_are_simulated(root: Path) -> None:
    assert reader(root).notes == (dataset_files.NOTE,)
    assert reader(root).overlaps == ()


def test_prepare_returns_at_once_if_the_data_exist(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "render_shot", None)
    for protocol in PROTOCOLS:
        reader(root, protocol).prepare()


def test_an_interrupted_prepare_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shots = []

    def render_shot(shot: object, seed: int, size: int) -> dict[str, object]:
        shots.append(shot)
        if len(shots) > 20:
            raise KeyboardInterrupt
        return original(shot, seed, size)

    original = dataset_files.render_shot
    monkeypatch.setattr(dataset_files, "render_shot", render_shot)
    with pytest.raises(KeyboardInterrupt):
        reader(tmp_path / "data").prepare()
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FasError, match="cannot be written"):
        reader(tmp_path / "file" / "data").prepare()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_data_of_other_options_are_refused(root: Path, change: dict[str, int]) -> None:
    other = Synthetic(attrs.evolve(SMALL, **change), root=root)
    (name, value), *_ = change.items()
    for use in (other.prepare, other.splits, lambda: other.samples("train")):
        with pytest.raises(DataError, match=f"{name} {getattr(SMALL, name)}, expected {name} {value}"):
            use()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="other files"):
        reader(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_reading_before_prepare(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fas data make"):
        reader(tmp_path / "data").samples("train")


def test_an_unknown_split(root: Path) -> None:
    with pytest.raises(DataError, match="train, dev, test"):
        reader(root).samples("validation")


def test_the_cache_folder_differs_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAS_CACHE_DIR", str(tmp_path))
    first = Synthetic(SMALL).root
    assert first.parent == tmp_path
    assert Synthetic(attrs.evolve(SMALL, protocol="unseen_group")).root == first
    for change in CHANGES:
        assert Synthetic(attrs.evolve(SMALL, **change)).root != first
    monkeypatch.setattr(dataset_files, "VERSION", 2)
    assert Synthetic(SMALL).root != first


def test_the_cache_folder_is_the_users_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAS_CACHE_DIR", raising=False)
    assert Synthetic(SMALL).root.parent.name == "fas"
