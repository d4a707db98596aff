"""Read a score file as a score table: find its columns, parse labels and scores, orient and check them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, field, frozen

from fas_core.errors import DataError, format_list
from fas_core.scores.files.columns import RawTable, assign_columns, recorded_thresholds, require_column
from fas_core.scores.files.labels import (
    Side,
    find_non_numbers,
    has_decimal_comma,
    mentions_attack,
    parse_numbers,
)
from fas_core.scores.files.published import PublishedTable, name_columns
from fas_core.scores.files.raw import read_raw_table
from fas_core.scores.files.samples import (
    ROLES,
    describe_columns,
    look_up_labels,
    read_ids,
    read_label_columns,
)
from fas_core.scores.rejection import RejectBand, fit_reject, parse_reject
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold


@frozen
class Reading:
    """How to read a file; None where that is to be found out.

    Args:
        columns: `{role: name or number from 1}`, roles being `ROLES`; an empty name: the role has no column.
        label_one: what the label 1 (or true) means; None for live, unless the column's name says attack.
        high_score: what a high score means; likewise.
    """

    columns: Mapping[str, str] = field(factory=dict)
    label_one: Side | None = None
    high_score: Side | None = None
    delimiter: str | None = None
    header: bool | None = None


@frozen(eq=False)
class ScoreFile:
    """A file's scores, turned so that higher = more live, and how the file was interpreted.

    Args:
        columns: `{role: column's name}`.
        description: one line: the format and the column of each role.
        has_ids: whether the file has ids; else ids are row numbers, from 1.
        negated: whether a high score meant attack, so that scores are minus those of the file.
        recorded_thresholds: of a column `threshold` (`fas predict --csv`), ascending, turned like the scores.
    """

    path: Path
    table: ScoreTable
    columns: Mapping[str, str]
    description: str
    has_ids: bool = True
    negated: bool = False
    recorded_thresholds: tuple[float, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What a reader of figures and thresholds of these scores must know."""
        notes = []
        if self.negated:
            notes.append(
                "high scores meant attack and are negated: thresholds are minus those of the file, in which "
                "a sample is accepted when its score is at most that"
            )
        splits = [name for name in self.table.table.column("split").unique().to_pylist() if name]
        if len(splits) > 1:
            notes.append(f"{len(splits)} splits are judged together: {format_list(sorted(splits), 12)}")
        return notes

    def threshold(
        self,
        policy: str | None,
        evaluated: ScoreTable | None,
        dev: ScoreTable | None,
        reject: str | None = None,
    ) -> Threshold | None:
        """Fit a threshold, by default `eer` if there are dev scores; a fixed one turns like the scores.

        `reject` is the policy of the band of uncertain scores around it; a fixed band turns likewise.
        """
        if policy is None and dev is None:
            return None
        threshold = fit_threshold(policy or "eer", dev, evaluated=evaluated)
        if self.negated and threshold.source == "given":
            threshold = evolve(threshold, value=-threshold.value)
        if reject is None:
            return threshold
        if self.negated and isinstance(parsed := parse_reject(reject), tuple):
            return threshold.with_reject(RejectBand(-parsed[1], -parsed[0], reject, "given"))
        fitted_on = evaluated if threshold.oracle else dev
        return threshold.with_reject(fit_reject(reject, threshold.value, fitted_on, threshold.source))


def read_scores(
    path: Path, reading: Reading | None = None, labels: Path | None = None, *, need_labels: bool = True
) -> ScoreFile:
    """Read CSV of any delimiter, Parquet, JSON-lines, a submission (`path [path path] score`) or bob's forms.

    `labels`: a list, `path [path path] label` or any table with ids and labels, that replaces the file's own
    labels, species, subjects and the like. Raises DataError where something is wrong or ambiguous in a file,
    or, unless `need_labels` is false, where there are no labels.
    """
    published = _read_published(path, reading or Reading())
    if published.impostors and labels is None:
        _refuse_impostors_alone(published)
    return _interpret(published.raw, reading or Reading(), labels, need_labels)


def read_samples(path: Path, reading: Reading | None = None) -> tuple[ScoreFile, bool]:
    """Read a file that may have no labels, and whether it has those of `PublishedTable.has_classes`."""
    published = _read_published(path, reading or Reading())
    return _interpret(published.raw, reading or Reading(), None, False), published.has_classes


def _read_published(path: Path, reading: Reading) -> PublishedTable:
    raw = read_raw_table(path, delimiter=reading.delimiter, header=reading.header)
    return PublishedTable(raw) if reading.columns else name_columns(raw)


def _refuse_impostors_alone(published: PublishedTable) -> None:
    """Raise a DataError where a file of a verification system has no presentation attack."""
    if "attack" not in published.raw.table.column("label").to_pylist():
        raise DataError(
            f"{published.raw.path}: {published.impostors} rows are zero-effort impostors, whose real client "
            f"is another one than the claimed one, and none is a presentation attack: give those by "
            f"--attacks FILE"
        )


def _interpret(raw: RawTable, reading: Reading, labels: Path | None, need_labels: bool) -> ScoreFile:
    """Return a table's score file; see `read_scores`."""
    roles = ("id", "score", "video") if labels else ROLES
    columns = assign_columns(raw, roles, reading.columns)
    ids = read_ids(raw, columns)
    score = require_column(raw, columns, "score")
    scores, remark = _read_values(raw, score, ids, reading.high_score)
    recorded = recorded_thresholds(raw, columns)
    if labels is None:
        known, label_remark = read_label_columns(raw, columns, ids, reading.label_one, need_labels)
        description = describe_columns(raw, columns, {"score": remark} | label_remark, recorded)
    elif "id" not in columns:
        raise DataError(f"{raw.path}: no column of ids to look up in {labels}: give --column id=NAME")
    else:
        videos = raw.read_text(columns["video"], "video") if "video" in columns else None
        known, list_description = look_up_labels(raw, ids, videos, labels, reading.columns, reading.label_one)
        description = f"{describe_columns(raw, columns, {'score': remark}, recorded)}; {list_description}"
    thresholds = next(iter(recorded.values()), ())
    negated = reading.high_score == "attack"
    if negated:
        scores, thresholds = pc.negate(scores), tuple(-value for value in reversed(thresholds))
    table = ScoreTable.of({"id": ids, "score": scores, **known}, name=str(raw.path))
    names = {role: raw.names[index] for role, index in columns.items()}
    return ScoreFile(raw.path, table, names, description, "id" in columns, negated, thresholds)


def refuse_shared(evaluated: ScoreFile, dev: ScoreFile) -> None:
    """Raise DataError where an id is in both files, so that a threshold is fitted on evaluated samples."""
    ids = evaluated.table.table.column("id")
    shared = ids.filter(pc.is_in(ids, value_set=dev.table.table.column("id").combine_chunks()))
    if evaluated.has_ids and dev.has_ids and len(shared):
        raise DataError(
            f"{len(shared)} ids are in {evaluated.path} and in {dev.path}, which is to choose the threshold: "
            f"{format_list(shared.to_pylist())}"
        )


def _read_values(raw: RawTable, index: int, ids: pa.Array, high: Side | None) -> tuple[pa.Array, str]:
    """(float64 scores as in the file, null for no response; how they are interpreted)."""
    if high is None and raw.named and mentions_attack(raw.names[index]):
        name = repr(raw.names[index])
        raise DataError(
            f"{raw.path}: does a high {name} mean attack? Say so by --high-score attack (or live)"
        )
    remark = "high = attack, so negated" if high == "attack" else "high = live"
    column = raw.table.column(index).combine_chunks()
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(kind).cast(pa.float64(), safe=False), remark
    text = raw.read_text(index, "score")
    if (numbers := parse_numbers(text)) is not None:
        return numbers, remark + (", decimal comma" if has_decimal_comma(text) else "")
    wrong = find_non_numbers(text)
    pairs = zip(text.filter(wrong).to_pylist(), ids.filter(wrong).to_pylist(), strict=True)
    offenders = [f"{value!r} ({sample})" for value, sample in pairs]
    raise DataError(
        f"{raw.path}: column {raw.column_label(index)}: {len(offenders)} of {len(raw)} scores are not "
        f"numbers: {format_list(offenders, 3)}; leave a cell empty where there was no response"
    )
