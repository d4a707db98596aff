"""Live samples and attacks in a score file each."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.errors import DataError
from fas_core.scores.files import Reading, ScoreFile, read_class_files


def read(folder: Path, live: str, attacks: str, reading: Reading | None = None) -> ScoreFile:
    for name, text in (("real", live), ("attack", attacks)):
        (folder / name).write_text(text)
    return read_class_files(folder / "real", folder / "attack", reading)


def rows(file: ScoreFile, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(file.table.table.column(name).to_pylist() for name in names), strict=True))


def test_files_of_bob(tmp_path: Path) -> None:
    file = read(tmp_path, "1 1 a 0.9\n2 2 b 0.4\n", "1 attack/print c 0.1\n2 attack/mask d 0.6\n")
    assert rows(file, "id", "score", "label", "species", "subject") == [
        ("a", 0.9, 1, "live", "1"),
        ("b", 0.4, 1, "live", "2"),
        ("c", 0.1, 0, "print", "1"),
        ("d", 0.6, 0, "mask", "2"),
    ]
    assert "all bona fide samples; " in file.description
    assert file.description.endswith("all attacks")


def test_attacks_may_have_the_clients_of_bona_fide_rows(tmp_path: Path) -> None:
    file = read(tmp_path, "1 1 a 0.9\n1 1 b 0.4\n", "1 1 c 0.1\n1 1 d 0.6\n")
    assert rows(file, "id", "label", "species") == [
        ("a", 1, "live"),
        ("b", 1, "live"),
        ("c", 0, None),
        ("d", 0, None),
    ]


def test_the_licit_scenario_gives_its_bona_fide_rows(tmp_path: Path) -> None:
    file = read(tmp_path, "1 1 a 0.9\n1 2 b 0.4\n2 2 b 0.8\n", "1 attack/print c 0.1\n1 attack/print d 0.1\n")
    assert rows(file, "id", "label") == [("a", 1), ("b", 1), ("c", 0), ("d", 0)]


def test_files_of_two_columns(tmp_path: Path) -> None:
    file = read(tmp_path, "a 0.9\nb 0.8\n", "c 0.1\n")
    assert rows(file, "id", "label", "species") == [("a", 1, "live"), ("b", 1, "live"), ("c", 0, None)]


def test_files_of_scores_alone(tmp_path: Path) -> None:
    file = read(tmp_path, "0.9\n0.8\n", "0.1\n")
    assert rows(file, "id", "score", "label") == [
        ("real:1", 0.9, 1),
        ("real:2", 0.8, 1),
        ("attack:1", 0.1, 0),
    ]


def test_high_scores_of_attacks_are_turned_in_both_files(tmp_path: Path) -> None:
    file = read(tmp_path, "a 0.1\n", "b 0.9\n", Reading(high_score="attack"))
    assert rows(file, "id", "score") == [("a", -0.1), ("b", -0.9)]
    assert file.negated


@pytest.mark.parametrize(
    ("live", "attacks", "message"),
    [
        (
            "1 1 a 0.9\n1 attack b 0.1\n",
            "1 attack c 0.1\n1 attack d 0.1\n",
            "1 of 2 samples are attacks, .*both classes: .*alone",
        ),
        (
            "1 attack a 0.9\n",
            "1 attack c 0.1\n",
            "1 of 1 samples are attacks, in the file of bona fide samples$",
        ),
        (
            "1 1 a 0.9\n",
            "1 1 c 0.1\n1 attack d 0.1\n",
            "1 of 2 samples are bona fide samples, .*both classes",
        ),
        ("id,score,label\na,0.9,0\n", "id,score\nb,0.1\n", "1 of 1 samples are attacks"),
        ("id,score\na,0.9\n", "id,score,label\nb,0.1,1\n", "1 of 1 samples are bona fide samples"),
        ("a 0.9\nb 0.8\n", "b 0.1\n", "1 ids are in .*real and in .*attack: b"),
    ],
)
def test_samples_of_the_other_class_are_refused(
    tmp_path: Path, live: str, attacks: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, live, attacks)
