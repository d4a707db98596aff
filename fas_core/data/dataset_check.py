"""Check a data set: unreadable files, contradicting columns, and leaks between splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sized
from itertools import combinations
from typing import Any

import pyarrow.compute as pc
from attrs import asdict, frozen

from fas_core.contracts import DatasetReader
from fas_core.data.decoder_messages import explain_undecodable
from fas_core.data.image_files import Files, list_images, read_files
from fas_core.data.images import box_overlaps
from fas_core.data.listing import ListsFolder
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_core.text_table import Table

MAX_LISTED = 10
LABEL_NAMES = {LIVE: "live", ATTACK: "attack", None: "unknown"}
Splits = Mapping[str, SampleTable]


@frozen
class SampleCount:
    """Number of samples of one split, label and species, of images of each modality, and of known people."""

    split: str
    label: str
    species: str
    samples: int
    modalities: dict[str, int]
    people: int = 0


@frozen
class DatasetCheck:
    """The result of a check. A data set without problems is sound.

    Args:
        counts: numbers of samples.
        files: number of image files read; None where they were not looked into.
        problems: errors that make training or evaluation on the data wrong.
        warnings: findings to look at, which may be intended by the protocol.
        notes: the reader's own notes.
    """

    counts: tuple[SampleCount, ...]
    files: int | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"ok": not self.problems, **asdict(self)}

    def table(self, name: str) -> Table:
        """The counts for the console; `name` is the data set as the user named it."""
        modalities = list(dict.fromkeys(modality for count in self.counts for modality in count.modalities))
        rows = []
        people = ("people",) if any(count.people for count in self.counts) else ()
        for count in self.counts:
            images = (count.modalities.get(modality, 0) for modality in modalities)
            numbers = (count.samples, *([count.people] if people else ()), *images)
            rows.append((count.split, count.label, count.species, *map(str, numbers)))
        result = _count(self.problems, "problem") if self.problems else "sound"
        return Table(
            title=f"{name}: {result}",
            columns=("split", "label", "species", "samples", *people, *modalities),
            rows=rows,
            note="image files were not read" if self.files is None else f"{self.files} image files read",
            left=(0, 1, 2),
        )


def inspect_dataset(reader: DatasetReader, workers: int, *, with_files: bool = True) -> DatasetCheck:
    """Read the lists of all splits and all image files, and find what cannot be read or contradicts itself.

    An image below the root that no decoder reads is a problem as well.

    Args:
        reader: the data set.
        workers: threads that read images.
        with_files: whether to read the image files; without, copies and damage of files are not found.
    """
    splits, problems = _read_lists(reader)
    files: Files = read_files(splits, workers) if with_files else {}
    problems += _shorten([file.problem for file in files.values() if file.problem])
    if splits and with_files:
        root = next(iter(splits.values())).root
        problems += _shorten(list(explain_undecodable(reader, root).values())) + _find_videos(reader)
    warnings: list[str] = []
    for split, samples in splits.items():
        problems += _find_contradictions(split, samples)
        warnings += _find_single_class(split, samples)
        if with_files:
            problems += _find_boxes_outside(split, samples, files)
            warnings += _find_copies(split, samples, files)
    overlaps = {frozenset(pair) for pair in reader.overlaps}
    for first, second in combinations(splits, 2):
        name, pair = f"{first} and {second}", (splits[first], splits[second])
        problems += _find_shared(name, *pair, "id")
        problems += _find_shared_files(name, *pair, files) if with_files else []
        shared = _find_shared(name, *pair, "subject")
        if frozenset((first, second)) in overlaps:
            warnings += [f"{line}; the protocol declares it" for line in shared]
        else:
            problems += shared
    notes = reader.notes if splits else ()
    counts, count = tuple(_count_samples(splits)), len(files) if with_files else None
    return DatasetCheck(counts, count, tuple(problems), tuple(warnings), notes)


def _read_lists(reader: DatasetReader) -> tuple[dict[str, SampleTable], list[str]]:
    """Return the splits that can be read, and the problems of the others."""
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


def _find_contradictions(split: str, samples: SampleTable) -> list[str]:
    """Find samples whose label and species contradict each other."""
    table = samples.table
    is_live = pc.equal(table.column("species"), "live")
    problems = []
    for label, mismatch, species in (
        (LIVE, pc.invert(is_live), "another species"),
        (ATTACK, is_live, "the species live"),
    ):
        wrong = pc.fill_null(pc.and_(pc.equal(table.column("label"), label), mismatch), False)
        if ids := table.filter(wrong).column("id").to_pylist():
            labelled = f"{_count(ids, 'sample')} labelled {LABEL_NAMES[label]}"
            problems.append(f"{split}: {labelled}, of {species}: {format_list(ids)}")
    return problems


def _find_boxes_outside(split: str, samples: SampleTable, files: Files) -> list[str]:
    if samples.table.column("box").null_count == len(samples):
        return []
    outside = []
    paths = samples.paths(samples.modalities[0])
    for row, (name, path) in enumerate(zip(samples.column("id"), paths, strict=True)):
        box, shape = samples.box(row), files[path].shape
        if box is not None and shape and not box_overlaps(box, shape):
            outside.append(name)
    problem = f"{split}: {_count(outside, 'box')} outside the image: {format_list(outside)}"
    return [problem] if outside else []


def _find_videos(reader: DatasetReader) -> list[str]:
    """Find videos in a data set of images."""
    videos = reader.listing.videos if isinstance(reader, ListsFolder) else ()
    hint = f"not read, make images of them by `fas data frames`: {format_list(videos, 3)}"
    return [f"{_count(videos, 'video')}: {hint}"] if videos else []


def _find_single_class(split: str, samples: SampleTable) -> list[str]:
    counts = samples.counts()
    missing = [name for name in ("live", "attack") if name not in counts]
    return [f"{split}: no {missing[0]} samples"] if len(missing) == 1 and "unknown" not in counts else []


def _find_copies(split: str, samples: SampleTable, files: Files) -> list[str]:
    """Find identical files within a split."""
    copies = [ids for ids in _group_by_digest(samples, files).values() if len(ids) > 1]
    pairs = format_list(" = ".join(ids[:2]) for ids in copies)
    return [f"{split}: {_count(copies, 'image')} more than once: {pairs}"] if copies else []


def _find_shared(name: str, first: SampleTable, second: SampleTable, column: str) -> list[str]:
    """Find values of a column, such as subjects, that two splits share."""
    shared = _distinct(first, column) & _distinct(second, column)
    return [f"{name} share {_count(shared, column)}: {format_list(sorted(shared))}"] if shared else []


def _find_shared_files(name: str, first: SampleTable, second: SampleTable, files: Files) -> list[str]:
    ids, other_ids = _group_by_digest(first, files), _group_by_digest(second, files)
    shared = [f"{ids[digest][0]} = {other_ids[digest][0]}" for digest in ids if digest in other_ids]
    return [f"{name} share {_count(shared, 'identical file')}: {format_list(shared)}"] if shared else []


def _group_by_digest(samples: SampleTable, files: Files) -> dict[str, list[str]]:
    """Return the ids of the samples by the digest of their files."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, path in list_images(samples):
        if not files[path].problem:
            groups[files[path].digest].append(name)
    return groups


def _distinct(samples: SampleTable, column: str) -> set[str]:
    return set(pc.unique(samples.table.column(column)).to_pylist()) - {None}


def _count_samples(splits: Splits) -> Iterator[SampleCount]:
    """Yield the counts of each split, live first, then by species."""
    for split, samples in splits.items():
        columns = [("id", "count"), ("subject", "count_distinct")]
        columns += [(modality, "count") for modality in samples.modalities]
        groups = samples.table.group_by(["label", "species"]).aggregate(columns).to_pylist()
        for group in sorted(groups, key=lambda group: (group["label"] != LIVE, str(group["species"]))):
            yield SampleCount(
                split,
                LABEL_NAMES[group["label"]],
                group["species"] or "",
                group["id_count"],
                {modality: group[f"{modality}_count"] for modality in samples.modalities},
                group["subject_count_distinct"],
            )


def _shorten(problems: list[str]) -> list[str]:
    rest = len(problems) - MAX_LISTED
    return problems[:MAX_LISTED] + ([f"and {rest} more files like these"] if rest > 0 else [])


def _count(items: Sized, noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
