"""Scores of bona fide samples and of attacks in a file each: bob's `scores-dev-real`, `scores-dev-attack`."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve

from fas_core.errors import DataError, format_list
from fas_core.scores.files.read import Reading, ScoreFile, read_samples
from fas_core.scores.table import ATTACK, LIVE, ScoreTable

CLASSES = {LIVE: "bona fide samples", ATTACK: "attacks"}


def read_class_files(live: Path, attacks: Path, reading: Reading | None = None) -> ScoreFile:
    """Read a file with the scores of bona fide samples and one with those of attacks as one score file.

    Raises:
        DataError: as `read_scores`; a file has samples of the other class, or both files have the same ids.
    """
    files = [_read_class(path, label, reading) for path, label in ((live, LIVE), (attacks, ATTACK))]
    if not all(file.has_ids for file in files):
        files = [_prefix_ids(file) for file in files]
    first, second = (file.table.table.column("id").combine_chunks() for file in files)
    if shared := first.filter(pc.is_in(first, value_set=second)).to_pylist():
        raise DataError(f"{len(shared)} ids are in {live} and in {attacks}: {format_list(shared)}")
    table = pa.concat_tables([file.table.table for file in files])
    return evolve(
        files[0],
        table=ScoreTable(table),
        description="; ".join(file.description for file in files),
        recorded_thresholds=tuple(sorted({value for file in files for value in file.recorded_thresholds})),
    )


def _read_class(path: Path, label: int, reading: Reading | None) -> ScoreFile:
    """Read a file all of whose samples are of one class."""
    file, has_classes = read_samples(path, reading)
    labels = file.table.table.column("label")
    counts = {value: pc.sum(pc.equal(labels, value)).as_py() or 0 for value in CLASSES}
    other = ATTACK if label == LIVE else LIVE
    # bob's programs also write the claimed client as the real one of attacks, in the file of attacks.
    if counts[other] and not (has_classes and label == ATTACK and not counts[ATTACK]):
        mixed = f"; it has both classes: evaluate it alone, as fas score {path}" if counts[label] else ""
        raise DataError(
            f"{path}: {counts[other]} of {len(file.table)} samples are {CLASSES[other]}, in the file of "
            f"{CLASSES[label]}{mixed}"
        )
    table = file.table.table
    species = table.column("species")
    if label == LIVE:
        species = pa.array(["live"] * len(table), pa.string())
    elif counts[LIVE]:
        species = pa.nulls(len(table), pa.string())
    table = table.set_column(
        table.column_names.index("label"), "label", pa.array([label] * len(table), pa.int8())
    )
    table = table.set_column(table.column_names.index("species"), "species", species)
    remark = f"{file.description}, all {CLASSES[label]}"
    return evolve(file, table=ScoreTable(table), description=remark)


def _prefix_ids(file: ScoreFile) -> ScoreFile:
    """Return the file with its name before the ids, which are row numbers of one of the files."""
    table = file.table.table
    ids = pc.binary_join_element_wise(file.path.name, table.column("id").combine_chunks(), ":")
    return evolve(file, table=ScoreTable(table.set_column(0, "id", ids)))
