"""A score file as a score table: its columns found, its labels and scores turned the right way, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, field, frozen

from fas_core.errors import DataError, format_list
from fas_core.scores.files.column_names import about_attacks, plain
from fas_core.scores.files.columns import Columns, assign, need
from fas_core.scores.files.labels import Side, agreed_species, labels_of_species, read_labels
from fas_core.scores.files.numbers import as_numbers, has_decimal_comma, not_numbers
from fas_core.scores.files.raw import Raw, read_raw
from fas_core.scores.files.stated import STATED, stated_thresholds
from fas_core.scores.table import SCHEMA, ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold

ROLES = tuple(SCHEMA.names)
UNPRINTABLE = r"[\x00-\x08\x0a-\x1f\x7f-\x{9f}\x{2028}\x{2029}]"


@frozen
class Reading:
    """How a file is to be read; what is None is found out.

    Args:
        columns: `{role: name or number from 1}`, roles being `ROLES`; an empty name for "has none".
        label_one: what the label 1 (or true) means; None for live, unless the column's name says attack.
        high_score: what a high score means; likewise.
        delimiter: of text.
        header: whether text has one.
    """

    columns: Mapping[str, str] = field(factory=dict)
    label_one: Side | None = None
    high_score: Side | None = None
    delimiter: str | None = None
    header: bool | None = None


@frozen(eq=False)
class ScoreFile:
    """A file's scores, and how it was understood.

    Args:
        path: the file.
        table: higher = more live, whatever the file says.
        taken: `{role: column}`, for people.
        said: one line that says what was taken for what.
        has_ids: whether the file has ids; else they are row numbers, from 1.
        negated: whether a high score meant attack, so that `score` is minus the file's.
        stated: the values of a column `threshold`, as `fas predict --csv` writes one, ascending; they are
            turned with the scores.
    """

    path: Path
    table: ScoreTable
    taken: Mapping[str, str]
    said: str
    has_ids: bool = True
    negated: bool = False
    stated: tuple[float, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What must be known of figures and thresholds of these scores."""
        notes = []
        if self.negated:
            notes.append(
                "high scores meant attack and are negated: thresholds are minus those of the file, in which "
                "a sample is accepted when its score is at most that"
            )
        splits = [name for name in self.table.table.column("split").unique().to_pylist() if name]
        if len(splits) > 1:
            notes.append(f"{len(splits)} splits are judged together: {', '.join(sorted(splits))}")
        return notes

    def threshold(
        self, policy: str | None, judged: ScoreTable | None, dev: ScoreTable | None
    ) -> Threshold | None:
        """By a policy, else `eer` where there are dev scores; one that is given is in the file's own terms.

        Args:
            policy: see `fas_core.scores.thresholds.parse_policy`.
            judged: of this file, frames or videos; what an `oracle:` policy is fitted on.
            dev: what it is fitted on.

        Raises:
            FasError: see `fas_core.scores.thresholds.fit_threshold`.
        """
        if policy is None and dev is None:
            return None
        cut = fit_threshold(policy or "eer", dev, judged=judged)
        return evolve(cut, value=-cut.value) if self.negated and cut.source == "given" else cut


def read_scores(
    path: Path, reading: Reading | None = None, labels: Path | None = None, *, need_labels: bool = True
) -> ScoreFile:
    """Read CSV of any delimiter, Parquet, JSON-lines or a submission (`path [path path] score`).

    Args:
        path: the file.
        reading: how; by default everything is found out.
        labels: a list of labels, `path [path path] label` or any table with ids and labels; then that is
            where labels, species, subjects and the like come from.
        need_labels: whether a file without labels is refused.

    Raises:
        DataError: one line saying what is wrong with the file, or what has two possible readings.
    """
    reading = reading or Reading()
    raw = read_raw(path, delimiter=reading.delimiter, header=reading.header)
    found = assign(raw, ("id", "score") if labels else ROLES, reading.columns)
    ids = _ids(raw, found)
    at = need(raw, found, "score")
    scores, negated = _scores(raw, at, ids, reading.high_score)
    direction = "high = attack, so negated" if negated else "high = live"
    stated = stated_thresholds(raw, found)
    asides = {"score": direction + (", decimal comma" if _has_decimal_comma(raw, at) else "")}
    if labels is None:
        known, how = _known(raw, found, ids, reading.label_one, need_labels=need_labels)
        said = _said(raw, found, asides | how, stated)
    else:
        if "id" not in found:
            raise DataError(f"{path}: no column of ids to look up in {labels}: give --column id=NAME")
        known, theirs = _joined(raw, ids, labels, reading)
        said = f"{_said(raw, found, asides, stated)}; {theirs}"
    table = ScoreTable.of({"id": ids, "score": scores, **known}, name=str(path))
    taken = {role: raw.names[at] for role, at in found.items()}
    if negated:
        stated = tuple(-value for value in reversed(stated))
    return ScoreFile(path, table, taken, said, "id" in found, negated, stated)


def refuse_shared(judged: ScoreFile, dev: ScoreFile) -> None:
    """A threshold fitted on what is judged is none: refuse ids that are in both files.

    Raises:
        DataError: there are some.
    """
    ids = judged.table.table.column("id")
    shared = ids.filter(pc.is_in(ids, value_set=dev.table.table.column("id").combine_chunks()))
    if judged.has_ids and dev.has_ids and len(shared):
        raise DataError(
            f"{len(shared)} ids are in {judged.path} and in {dev.path}, which is to choose the threshold: "
            f"{format_list(shared.to_pylist())}"
        )


def _ids(raw: Raw, found: Columns) -> pa.Array:
    """Stripped, distinct and none empty; row numbers where the file has none."""
    if "id" not in found:
        return pa.array(range(1, len(raw) + 1)).cast(pa.string())
    ids = pc.fill_null(_text(raw, found["id"], "id"), "")
    if empty := pc.sum(pc.equal(ids, "")).as_py():
        raise DataError(f"{raw.path}: column {raw.shown(found['id'])}: {empty} of {len(raw)} rows have no id")
    counts = pc.value_counts(ids)
    if len(counts) < len(ids):
        again = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
        raise DataError(f"{raw.path}: {len(again)} ids are given more than once: {format_list(again)}")
    return ids


def _scores(raw: Raw, at: int, ids: pa.Array, high: Side | None) -> tuple[pa.Array, bool]:
    """(float64 scores, higher = more live, null for no response; whether they were negated)."""
    if high is None and raw.named and about_attacks(raw.names[at]):
        raise DataError(
            f"{raw.path}: does a high {raw.names[at]!r} mean attack? Say so by --high-score attack (or live)"
        )
    column = raw.table.column(at).combine_chunks()
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(kind).cast(pa.float64(), safe=False)
    elif pa.types.is_null(kind):
        numbers = column.cast(pa.float64())
    else:
        numbers = _parsed(raw, at, ids)
    return (pc.negate(numbers), True) if high == "attack" else (numbers, False)


def _has_decimal_comma(raw: Raw, at: int) -> bool:
    column = raw.table.column(at)
    return pa.types.is_string(column.type) and has_decimal_comma(_text(raw, at, "score"))


def _parsed(raw: Raw, at: int, ids: pa.Array) -> pa.Array:
    text = _text(raw, at, "score")
    if (numbers := as_numbers(text)) is not None:
        return numbers
    wrong = not_numbers(text)
    pairs = zip(text.filter(wrong).to_pylist(), ids.filter(wrong).to_pylist(), strict=True)
    offenders = [f"{value!r} ({sample})" for value, sample in pairs]
    raise DataError(
        f"{raw.path}: column {raw.shown(at)}: {len(offenders)} of {len(raw)} scores are not numbers: "
        f"{format_list(offenders, 3)}; leave a cell empty where there was no response"
    )


def _known(
    raw: Raw, found: Columns, ids: pa.Array, one: Side | None, *, need_labels: bool = True
) -> tuple[dict[str, pa.Array], dict[str, str]]:
    """Labels and what else is known of the samples; and how the labels were understood."""
    others = [role for role, at in found.items() if role not in ("id", "score", "label") and raw.says(at)]
    known = {role: _empty_as_null(_text(raw, found[role], role)) for role in others}
    if "label" in found:
        at = found["label"]
        where, name = f"{raw.path}: column {raw.shown(at)}", raw.names[at] if raw.named else ""
        known["label"], how = read_labels(_text(raw, at, "label"), one, where=where, name=name)
    elif "species" in known and (labels := labels_of_species(known["species"])) is not None:
        known["label"], how = labels, "by the species"
    elif not need_labels:
        return known, {}
    else:
        hint = " or --labels LIST" if "score" in found else ""
        raise DataError(f"{raw.path}: no labels (found: {raw.columns_found}): give --column label=NAME{hint}")
    if "species" in known:
        known["species"] = agreed_species(known["species"], known["label"], ids, str(raw.path))
    return known, {"label": how}


def _joined(raw: Raw, ids: pa.Array, labels: Path, reading: Reading) -> tuple[dict[str, pa.Array], str]:
    """What a list knows of the ids, in their order, and how the list was understood."""
    listing = read_raw(labels)
    told = {role: name for role, name in reading.columns.items() if role not in ("id", "score")}
    found = assign(listing, [role for role in ROLES if role != "score"], told)
    need(listing, found, "id")
    theirs = _ids(listing, found)
    known, how = _known(listing, found, theirs, reading.label_one)
    missing = ids.filter(pc.invert(pc.is_in(ids, value_set=theirs)))
    left = theirs.filter(pc.invert(pc.is_in(theirs, value_set=ids)))
    if len(missing) or len(left):
        raise DataError(
            f"{raw.path} and {labels} do not match: {len(missing)} of {len(ids)} ids have no label"
            f"{_few(missing)}, {len(left)} of {len(theirs)} labelled ones no score{_few(left)}"
        )
    rows = pc.index_in(ids, value_set=theirs)
    return {role: column.take(rows) for role, column in known.items()}, _said(listing, found, how)


def _few(ids: pa.Array) -> str:
    return f" ({format_list(ids.to_pylist(), 3)})" if len(ids) else ""


def _text(raw: Raw, at: int, role: str) -> pa.Array:
    """A column as strings of one line, without blanks around them."""
    column = raw.table.column(at).combine_chunks()
    try:
        if pa.types.is_nested(column.type):
            raise pa.ArrowInvalid(f"it holds {column.type}")
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
        if broken := pc.sum(pc.match_substring_regex(text, UNPRINTABLE)).as_py():
            raise pa.ArrowInvalid(f"{broken} values have line breaks or control characters")
    except pa.ArrowException as error:
        raise DataError(
            f"{raw.path}: column {raw.shown(at)} cannot be the {role}: {' '.join(str(error).split())}"
        ) from error
    return text


def _empty_as_null(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), None, column)


def _said(raw: Raw, found: Columns, asides: Mapping[str, str], stated: Sequence[float] = ()) -> str:
    """E.g. `a.csv: 100 rows, CSV (,): id is 'file', score is 'prob' (high = live), not used: 'x'`."""
    parts = [] if "id" in found else ["no ids, so rows are numbered"]
    for role in ROLES:
        what = (
            raw.shown(found[role])
            if role in found and raw.says(found[role])
            else "given"
            if role in asides
            else ""
        )
        parts += [f"{role} is {what}" + (f" ({asides[role]})" if role in asides else "")] if what else []
    rest = [at for at in range(len(raw.names)) if at not in found.values() and raw.says(at)]
    parts += [f"threshold is said to be {format_list([f'{value:g}' for value in stated])}"] if stated else []
    unused = [raw.shown(at) for at in rest if not (stated and plain(raw.names[at]) == STATED)]
    parts += [f"not used: {format_list(unused)}"] if unused else []
    return f"{raw.path}: {len(raw)} rows, {raw.form}: {', '.join(parts)}"
