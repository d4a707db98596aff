"""Division of samples into splits: grouped, stratified, seeded; groups from columns, paths and folders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fas_core.config.load import parse_sets
from fas_core.data.open import open_dataset
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_plugins.commands.data.split import SplitResult, read_groups, split_samples, write_manifest

THIRDS = (1 / 3, 1 / 3, 1 / 3)


def table(paths: list[str], root: Path | str = "/data", **columns: list[object]) -> SampleTable:
    """Samples of a folder: `live/...` and `attack/SPECIES/...`."""
    known = {
        "id": [path.rpartition(".")[0] for path in paths],
        "label": [int(path.startswith("live")) for path in paths],
        "species": ["live" if path.startswith("live") else path.split("/")[1] for path in paths],
        "rgb": paths,
    }
    return SampleTable.of({**known, **columns}, modalities=("rgb",), root=root)


def people(count: int, shots: int = 2) -> list[str]:
    kinds = ("live", "attack/print", "attack/replay")
    return [
        f"{kind}/p{person:02}_{shot}.jpg"
        for kind in kinds
        for person in range(count)
        for shot in range(shots)
    ]


def divide(
    samples: SampleTable, fractions: tuple[float, ...] = (0.6, 0.2, 0.2), seed: int = 0
) -> SplitResult:
    groups = read_groups(samples, "subject", r"(p\d+)_")
    return split_samples(samples, "subject", groups, fractions, seed)


def test_subjects_stay_together_and_strata_keep_their_shares() -> None:
    result = divide(table(people(10)))
    assert result.counts == {
        "train": {"subjects": 6, "live": 12, "attack": 24, "attack: print": 12, "attack: replay": 12},
        "dev": {"subjects": 2, "live": 4, "attack": 8, "attack: print": 4, "attack: replay": 4},
        "test": {"subjects": 2, "live": 4, "attack": 8, "attack: print": 4, "attack: replay": 4},
    }
    pairs = set(zip(result.samples.column("subject"), result.samples.column("split"), strict=True))
    assert max(Counter(subject for subject, _ in pairs).values()) == 1
    assert result.warnings == ()


def test_a_seed_gives_the_same_splits_and_another_one_others() -> None:
    samples = table(people(10))
    first, again, other = (divide(samples, seed=seed).samples.column("id") for seed in (1, 1, 2))
    assert first == again != other


def test_the_order_of_samples_does_not_matter() -> None:
    samples = table(people(9))
    splits = dict(zip(*(divide(samples).samples.column(name) for name in ("id", "split")), strict=True))
    shuffled = samples.take(np.random.default_rng(0).permutation(len(samples)))
    assert (
        dict(zip(*(divide(shuffled).samples.column(name) for name in ("id", "split")), strict=True)) == splits
    )


def test_unequal_groups_come_near_the_fractions() -> None:
    paths = [
        f"{kind}/p{person:02}_{shot}.jpg"
        for person in range(30)
        for kind in ("live", "attack/print")
        for shot in range(1 + person % 7)
    ]
    counts = divide(table(paths), (0.7, 0.1, 0.2)).counts
    for split, fraction in (("train", 0.7), ("dev", 0.1), ("test", 0.2)):
        assert counts[split]["live"] / (len(paths) / 2) == pytest.approx(fraction, abs=0.05)


def test_a_fraction_of_zero_leaves_a_split_out() -> None:
    assert list(divide(table(people(4)), (0.75, 0.25, 0)).counts) == ["train", "dev"]


def test_every_split_needs_both_classes() -> None:
    samples = table([path for path in people(6) if path.startswith("live") or "p00" in path or "p01" in path])
    with pytest.raises(
        DataError, match=r"/data: \w+ gets no attacks: 2 subjects with attacks for 3 splits: choose"
    ):
        divide(samples, THIRDS)


def test_samples_without_a_label_are_refused() -> None:
    samples = table(people(3), label=[None, *[1] * 17])
    with pytest.raises(DataError, match="1 of 18 samples have no label"):
        divide(samples)


def test_a_known_column_needs_no_pattern() -> None:
    samples = table(people(2, 1), subject=list("aabbcc"))
    assert read_groups(samples, "subject", None) == tuple("aabbcc")
    with pytest.raises(ConfigError, match="subject is known of all samples already"):
        read_groups(samples, "subject", "(.)")
    with pytest.raises(
        DataError, match=r"video is not known of 6 of 6 samples \(known of all samples: subject\)"
    ):
        read_groups(samples, "video", None)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("p(", "not a regular expression"),
        ("p1", "put the subject in parentheses"),
        (r"(p01)_", r"no subject in 3 of 6 paths: live/p00_0\.jpg"),
    ],
)
def test_patterns_that_give_no_value_are_refused(pattern: str, message: str) -> None:
    with pytest.raises(FasError, match=message):
        read_groups(table(people(2, 1)), "subject", pattern)


def test_a_pattern_finds_the_group_of_the_name_of_the_column() -> None:
    pattern = r"(?P<kind>live|attack).*(?P<subject>p\d+)"
    assert read_groups(table(people(2, 1)), "subject", pattern) == ("p00", "p01") * 3


def test_folders_of_people_are_groups() -> None:
    samples = table(["live/ann/1.jpg", "live/ben/1.jpg", "attack/print/ann/1.jpg"])
    assert read_groups(samples, "folder", None) == ("ann", "ben", "ann")


@pytest.mark.parametrize("path", ["live/1.jpg", "attack/print/1.jpg", "live/ann/rgb/1.jpg"])
def test_folders_of_classes_species_and_modalities_are_no_groups(path: str) -> None:
    with pytest.raises(DataError, match=f"1 of 2 images lie in the folder of a class, .*: {path}"):
        read_groups(table([path, "live/ann/2.jpg"]), "folder", None)


def test_people_in_two_splits_are_warned_of() -> None:
    samples = table(people(8, 1))
    unknown = split_samples(samples, "sample", read_groups(samples, "sample", None), THIRDS, 0)
    assert "samples of one person may be in two splits" in unknown.warnings[0]
    named = table(people(8, 1), subject=["a", "b"] * 12)
    known = split_samples(named, "sample", read_groups(named, "sample", None), THIRDS, 0)
    assert known.warnings == ("2 of 2 subjects are in several splits: --by subject keeps each in one",)


def test_the_manifest_reads_back_as_the_same_samples(tmp_path: Path) -> None:
    samples = table(people(3, 1), tmp_path / "photos", box=[[1.0, 2.5, 3.0, 4.0], *[None] * 8], frame=[3] * 9)
    result = divide(samples, THIRDS)
    manifest = tmp_path / "lists/split.csv"
    manifest.parent.mkdir()
    write_manifest(result.samples, manifest)
    reader = open_dataset(str(manifest), parse_sets([]), registry())
    assert reader.splits() == ("train", "dev", "test")
    assert reader.notes == ()
    rows = {row["id"]: row for row in result.samples.table.to_pylist()}
    for split in reader.splits():
        read = reader.samples(split)
        assert len(read) == 3
        for index, row in enumerate(read.table.to_pylist()):
            expected = rows[row["id"]]
            assert {**row, "rgb": expected["rgb"]} == expected
            assert read.path(index, "rgb").resolve() == (tmp_path / "photos" / expected["rgb"])


def test_an_existing_manifest_stays(tmp_path: Path) -> None:
    (tmp_path / "split.csv").write_text("old")
    with pytest.raises(FasError, match=r"split\.csv: exists"):
        write_manifest(table(people(3)), tmp_path / "split.csv")
    assert (tmp_path / "split.csv").read_text() == "old"
