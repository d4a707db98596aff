"""What is wrong with a data set: files that cannot be read, contradictions, and leaks between splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from attrs import asdict, frozen

from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.data.images import box_overlaps, decode, read_bytes
from fas_core.data.parallel import ordered
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable

SHOWN = 10
Splits = Mapping[str, SampleTable]


@frozen
class Count:
    """Samples of one split, label and species, and how many have an image of each modality."""

    split: str
    label: str
    species: str
    samples: int
    modalities: dict[str, int]


@frozen
class Report:
    """What was found in a data set. It is sound when there are no problems.

    Args:
        counts: how many there are of what.
        files: how many image files were read.
        problems: what makes training or judging on it wrong.
        warnings: what deserves a look, or is so by the protocol's design.
        notes: what the reader says of it.
    """

    counts: tuple[Count, ...]
    files: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"ok": not self.problems, **asdict(self)}


@frozen
class File:
    """An image file as read: digest of its bytes and shape (H, W), or why it could not be read."""

    path: Path
    digest: str = ""
    shape: tuple[int, ...] = ()
    problem: str = ""


def check(reader: DatasetReader, workers: int) -> Report:
    """Read everything of all splits: lists and each image file once.

    Args:
        reader: the data set.
        workers: threads that read images.
    """
    splits, problems = _read_lists(reader)
    files = _read_files(splits, workers)
    problems += _limited([file.problem for file in files.values() if file.problem])
    warnings: list[str] = []
    for split, samples in splits.items():
        problems += _contradictions(split, samples) + _boxes(split, samples, files)
        warnings += _one_class(split, samples) + _repeats(split, samples, files)
    declared = {frozenset(pair) for pair in reader.overlaps}
    for first, second in combinations(splits, 2):
        pair = f"{first} and {second}"
        problems += _shared_ids(pair, splits[first], splits[second])
        problems += _shared_files(pair, splits[first], splits[second], files)
        if shared := _known(splits[first], "subject") & _known(splits[second], "subject"):
            found = f"{pair} share {_number(shared, 'subject')}: {format_list(sorted(shared))}"
            if frozenset((first, second)) in declared:
                warnings.append(f"{found}; the protocol declares it")
            else:
                problems.append(found)
    notes = reader.notes if splits else ()
    return Report(tuple(_counts(splits)), len(files), tuple(problems), tuple(warnings), notes)


def _read_lists(reader: DatasetReader) -> tuple[dict[str, SampleTable], list[str]]:
    """The splits that can be read, and why the others cannot."""
    splits: dict[str, SampleTable] = {}
    problems: list[str] = []
    try:
        names = reader.splits()
    except DataError as error:
        return {}, [error.message, *error.problems]
    for name in names:
        try:
            splits[name] = reader.samples(name)
        except DataError as error:
            problems += [line for line in (error.message, *error.problems) if line not in problems]
    return splits, problems


def _read_files(splits: Splits, workers: int) -> dict[Path, File]:
    paths = {path: None for samples in splits.values() for _, path in _images(samples)}
    files: dict[Path, File] = {}
    with console.progress("reading images", len(paths)) as bar:
        for file in ordered(_read_file, paths, workers):
            files[file.path] = file
            bar.advance()
    return files


def _read_file(path: Path) -> File:
    try:
        data = read_bytes(path)
        shape = decode(data, path).shape
    except DataError as error:
        return File(path, problem=error.message)
    return File(path, hashlib.blake2b(data, digest_size=16).hexdigest(), shape)


def _images(samples: SampleTable) -> Iterator[tuple[str, Path]]:
    """(sample id, path) of every image that there should be."""
    ids = samples.column("id")
    for modality in samples.modalities:
        for name, path in zip(ids, samples.column(modality), strict=True):
            if path is not None:
                yield name, samples.root / path


def _contradictions(split: str, samples: SampleTable) -> list[str]:
    """Labels that the species denies."""
    table = samples.table
    is_live = pc.equal(table.column("species"), "live")
    wrong = []
    for label, says, name in ((LIVE, pc.invert(is_live), "live"), (ATTACK, is_live, "attack")):
        both = pc.fill_null(pc.and_(pc.equal(table.column("label"), label), says), False)
        if ids := table.filter(both).column("id").to_pylist():
            other = "another species" if label == LIVE else "the species live"
            wrong.append(f"{split}: {_number(ids, 'sample')} labelled {name}, of {other}: {format_list(ids)}")
    return wrong


def _boxes(split: str, samples: SampleTable, files: Mapping[Path, File]) -> list[str]:
    """Boxes that lie outside their image."""
    if samples.table.column("box").null_count == len(samples):
        return []
    outside = []
    for row, (name, path) in enumerate(
        zip(samples.column("id"), samples.paths(samples.modalities[0]), strict=True)
    ):
        box, shape = samples.box(row), files[path].shape
        if box is not None and shape and not box_overlaps(box, shape):
            outside.append(name)
    return (
        [f"{split}: {_number(outside, 'box')} outside the image: {format_list(outside)}"] if outside else []
    )


def _one_class(split: str, samples: SampleTable) -> list[str]:
    counts = samples.counts()
    missing = [name for name in ("live", "attack") if name not in counts]
    return [f"{split}: no {missing[0]} samples"] if len(missing) == 1 and "unknown" not in counts else []


def _repeats(split: str, samples: SampleTable, files: Mapping[Path, File]) -> list[str]:
    """Files of one split that are copies of each other."""
    copies = [ids for ids in _by_digest(samples, files).values() if len(ids) > 1]
    if not copies:
        return []
    return [
        f"{split}: {_number(copies, 'image')} more than once: "
        f"{format_list(' = '.join(ids[:2]) for ids in copies)}"
    ]


def _shared_ids(pair: str, first: SampleTable, second: SampleTable) -> list[str]:
    shared = _known(first, "id") & _known(second, "id")
    return [f"{pair} share {_number(shared, 'id')}: {format_list(sorted(shared))}"] if shared else []


def _shared_files(
    pair: str, first: SampleTable, second: SampleTable, files: Mapping[Path, File]
) -> list[str]:
    ours, theirs = _by_digest(first, files), _by_digest(second, files)
    shared = [f"{ours[digest][0]} = {theirs[digest][0]}" for digest in ours if digest in theirs]
    return [f"{pair} share {_number(shared, 'identical file')}: {format_list(shared)}"] if shared else []


def _by_digest(samples: SampleTable, files: Mapping[Path, File]) -> dict[str, list[str]]:
    """Ids of the samples that have a file of this content."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, path in _images(samples):
        if not files[path].problem:
            found[files[path].digest].append(name)
    return found


def _known(samples: SampleTable, column: str) -> set[str]:
    return set(pc.unique(samples.table.column(column)).to_pylist()) - {None}


def _counts(splits: Splits) -> Iterator[Count]:
    names = {LIVE: "live", ATTACK: "attack", None: "unknown"}
    for split, samples in splits.items():
        wanted = [("id", "count"), *((modality, "count") for modality in samples.modalities)]
        groups = samples.table.group_by(["label", "species"]).aggregate(wanted).to_pylist()
        for group in sorted(
            groups, key=lambda item: (str(names[item["label"]] != "live"), str(item["species"]))
        ):
            yield Count(
                split,
                names[group["label"]],
                group["species"] or "",
                group["id_count"],
                {modality: group[f"{modality}_count"] for modality in samples.modalities},
            )


def _limited(problems: list[str]) -> list[str]:
    rest = len(problems) - SHOWN
    return problems[:SHOWN] + ([f"and {rest} more files like these"] if rest > 0 else [])


def _number(items: Any, noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
