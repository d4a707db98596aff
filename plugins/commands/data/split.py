"""Divide a data set into train, dev and test: grouped, stratified by class and PAI species, seeded.

The samples of one group, such as a subject, are in one split. Groups are the values of a column of the sample
table, what a regular expression finds in the path of an image, or the folders of the images.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, frozen

from fas_core.atomic import write_text
from fas_core.data.fold_numbers import assign_groups, plural
from fas_core.data.folds import straddling_subjects
from fas_core.errors import ConfigError, DataError, FasError, format_list
from fas_core.names import to_text
from fas_core.records.samples import ATTACK, COLUMNS, LIVE, SampleTable
from fas_core.scores.label_words import parse_class, parse_split
from fas_core.text_table import Table
from fas_core.urls import Url, locate

SPLITS = ("train", "dev", "test")
GROUP_COLUMNS = ("subject", "video", "group", "session", "device")
FOLDER, SAMPLE = "folder", "sample"


@frozen(eq=False)
class SplitResult:
    """Samples with their splits, train first.

    Args:
        by: what the samples of a group have in common, as in `read_groups`.
        groups: the group of each sample.
        warnings: how samples of one person can be in two splits.
    """

    samples: SampleTable
    by: str
    groups: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """`{split: {groups, live, attack and each species: number}}`."""
        labels, species = self.samples.labels, self.samples.column("species")
        names = sorted(
            {name or "unknown" for name, label in zip(species, labels, strict=True) if label == ATTACK}
        )
        splits = np.array(self.samples.column("split"))
        counts: dict[str, dict[str, int]] = {}
        for split in dict.fromkeys(splits.tolist()):
            rows = np.flatnonzero(splits == split)
            attacks = [species[row] or "unknown" for row in rows if labels[row] == ATTACK]
            counts[split] = {
                plural(self.by): len({self.groups[row] for row in rows}),
                "live": int((labels[rows] == LIVE).sum()),
                "attack": len(attacks),
                **{f"attack: {name}": attacks.count(name) for name in names},
            }
        return counts

    def table(self, name: str) -> Table:
        """Return the counts as a table for the console."""
        counts = self.counts
        columns = ("split", *next(iter(counts.values())))
        rows = [(split, *map(str, values.values())) for split, values in counts.items()]
        examples = format_list(dict.fromkeys(self.groups), 3)
        return Table(f"{name} by {self.by}", columns, rows, note=f"{plural(self.by)}: {examples}")


def read_groups(samples: SampleTable, by: str, pattern: str | None) -> tuple[str, ...]:
    """Return the group of each sample.

    Args:
        samples: the samples.
        by: one of `GROUP_COLUMNS`; `folder`, the name of the first image's folder; or `sample`, each alone.
        pattern: regular expression that is searched in the path of the first image, for a column that is not
            known; its first group, or the one named as `by`, is the value.

    Raises:
        ConfigError: the pattern is not valid, has no group, or `by` does not take one.
        DataError: samples have no value, or their folder is that of a class, split or species.
    """
    if pattern is not None:
        return _match_pattern(samples, by, pattern)
    if by == SAMPLE:
        return tuple(samples.column("id"))
    if by == FOLDER:
        return _read_folders(samples)
    values = samples.column(by)
    if missing := sum(value is None for value in values):
        known = [name for name in GROUP_COLUMNS if not samples.table.column(name).null_count]
        columns = (
            f"known of all samples: {', '.join(known)}" if known else "no such column is known of all samples"
        )
        raise DataError(
            f"{samples.root}: {by} is not known of {missing} of {len(samples)} samples ({columns}): find it "
            f"in the paths by --pattern, e.g. --pattern '([^/_]+)_[^/]*$', or use --by {FOLDER} or {SAMPLE}"
        )
    return tuple(values)


def split_samples(
    samples: SampleTable, by: str, groups: Sequence[str], fractions: Sequence[float], seed: int
) -> SplitResult:
    """Divide samples into train, dev and test, as near to the fractions of all strata as groups allow.

    Raises:
        DataError: samples have no label, or a split gets no sample of a class.
    """
    labels = samples.labels
    if unlabelled := int(np.sum((labels != LIVE) & (labels != ATTACK))):
        raise DataError(f"{samples.root}: {unlabelled} of {len(samples)} samples have no label")
    _, codes = np.unique(np.array(groups), return_inverse=True)
    names = [name for name, fraction in zip(SPLITS, fractions, strict=True) if fraction > 0]
    sizes = [fraction for fraction in fractions if fraction > 0]
    numbers = assign_groups(samples, np.asarray(codes, np.intp), sizes, seed)
    for name, label in (("live samples", LIVE), ("attacks", ATTACK)):
        present = set(numbers[labels == label].tolist())
        if missing := [split for index, split in enumerate(names) if index not in present]:
            count = len(set(codes[labels == label].tolist()))
            noun = by if count == 1 else plural(by)
            raise DataError(
                f"{samples.root}: {missing[0]} gets no {name}: {count} {noun} with {name} for {len(names)} "
                f"splits: choose other --fractions, or smaller groups by another --by"
            )
    order = np.argsort(numbers, kind="stable")
    table = _set_column(samples.table, "split", [names[number] for number in numbers])
    if by in GROUP_COLUMNS or by == FOLDER:
        table = _set_column(table, "group" if by == FOLDER else by, list(groups))
    divided = evolve(samples, table=table)
    warnings = _find_shared_subjects(divided, by, numbers)
    return SplitResult(divided.take(order), by, tuple(groups[row] for row in order), warnings)


def write_manifest(samples: SampleTable, path: Path) -> None:
    """Write samples as a CSV manifest, atomically; paths are relative to its folder.

    Raises:
        FasError: the file exists, or cannot be written.
    """
    if path.exists():
        raise FasError(
            f"{path}: exists, and a run may depend on its splits: choose another name by -o, or remove it"
        )
    names = [name for name in COLUMNS if samples.table.column(name).null_count < len(samples)]
    columns: dict[str, list[Any]] = {name: samples.column(name) for name in names if name != "box"}
    if "box" in names:
        columns["box"] = [box and " ".join(f"{value:g}" for value in box) for box in samples.column("box")]
    for modality in samples.modalities:
        columns[modality] = [
            image and _relative_path(samples, image, path) for image in samples.column(modality)
        ]
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(columns), *zip(*columns.values(), strict=True)])
    write_text(path, text.getvalue())


def _relative_path(samples: SampleTable, image: str, manifest: Path) -> str:
    location = locate(samples.root, image)
    if isinstance(location, Url):
        return location.address
    return to_text(Path(os.path.relpath(location, manifest.parent)).as_posix())


def _match_pattern(samples: SampleTable, by: str, pattern: str) -> tuple[str, ...]:
    if by in (FOLDER, SAMPLE):
        raise ConfigError(f"--pattern finds a column, such as --by subject: it does not go with --by {by}")
    if not samples.table.column(by).null_count:
        raise ConfigError(f"--pattern {pattern!r}: {by} is known of all samples already: leave --pattern out")
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"--pattern {pattern!r}: not a regular expression: {error}") from error
    if not expression.groups:
        raise ConfigError(f"--pattern {pattern!r}: put the {by} in parentheses, e.g. '([^/_]+)_[^/]*$'")
    paths = _first_paths(samples)
    group = by if by in expression.groupindex else 1
    values = [match and match[group] for match in map(expression.search, paths)]
    if unmatched := [path for path, value in zip(paths, values, strict=True) if not value]:
        raise DataError(
            f"--pattern {pattern!r}: no {by} in {len(unmatched)} of {len(paths)} paths: "
            f"{format_list(unmatched, 3)}"
        )
    return tuple(str(value) for value in values)


def _read_folders(samples: SampleTable) -> tuple[str, ...]:
    paths, species = _first_paths(samples), samples.column("species")
    folders = [PurePosixPath(path).parent.name for path in paths]
    is_group = [
        bool(name)
        and parse_class(name) is None
        and parse_split(name) is None
        and name not in (kind, *samples.modalities)
        for name, kind in zip(folders, species, strict=True)
    ]
    if not all(is_group):
        others = [path for path, valid in zip(paths, is_group, strict=True) if not valid]
        raise DataError(
            f"{samples.root}: --by {FOLDER}: {len(others)} of {len(paths)} images lie in the folder of a "
            f"class, species, split or modality: {format_list(others, 3)}: use --by subject --pattern, or "
            f"--by {SAMPLE}"
        )
    return tuple(folders)


def _first_paths(samples: SampleTable) -> list[str]:
    """Return the path of the first image of each sample, relative to the root, with `/`."""
    columns = pc.coalesce(*(samples.table.column(name) for name in samples.modalities)).to_pylist()
    return [Path(path).as_posix() for path in columns]


def _set_column(table: pa.Table, name: str, values: list[str]) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))


def _find_shared_subjects(samples: SampleTable, by: str, numbers: np.ndarray[Any, Any]) -> tuple[str, ...]:
    shared, known = straddling_subjects(samples, numbers)
    if shared:
        return (f"{shared} of {known} subjects are in several splits: --by subject keeps each in one",)
    if by in ("subject", FOLDER, "group") or (known and not samples.table.column("subject").null_count):
        return ()
    return (
        "the subjects are not known: samples of one person may be in two splits, which makes results too "
        "good (--by subject --pattern finds subjects in the paths)",
    )
