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
    check_species,
    find_non_numbers,
    has_decimal_comma,
    labels_from_species,
    mentions_attack,
    parse_labels,
    parse_numbers,
)
from fas_core.scores.files.published import PublishedTable, name_columns, name_list_columns
from fas_core.scores.files.raw import read_raw_table
from fas_core.scores.label_words import normalize_word, parse_split, refuse_synonyms
from fas_core.scores.table import SCHEMA, ScoreTable, refuse_repeated_ids
from fas_core.scores.thresholds import Threshold, fit_threshold

ROLES = tuple(SCHEMA.names)


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
            notes.append(f"{len(splits)} splits are judged together: {', '.join(sorted(splits))}")
        return notes

    def threshold(
        self, policy: str | None, evaluated: ScoreTable | None, dev: ScoreTable | None
    ) -> Threshold | None:
        """Fit a threshold, by default `eer` if there are dev scores; a fixed one turns like the scores."""
        if policy is None and dev is None:
            return None
        threshold = fit_threshold(policy or "eer", dev, evaluated=evaluated)
        turned = self.negated and threshold.source == "given"
        return evolve(threshold, value=-threshold.value) if turned else threshold


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
    ids = _read_ids(raw, columns)
    score = require_column(raw, columns, "score")
    scores, remark = _read_values(raw, score, ids, reading.high_score)
    recorded = recorded_thresholds(raw, columns)
    if labels is None:
        known, label_remark = _read_label_columns(raw, columns, ids, reading.label_one, need_labels)
        description = _describe(raw, columns, {"score": remark} | label_remark, recorded)
    elif "id" not in columns:
        raise DataError(f"{raw.path}: no column of ids to look up in {labels}: give --column id=NAME")
    else:
        videos = raw.read_text(columns["video"], "video") if "video" in columns else None
        known, list_description = _look_up_labels(raw, ids, videos, labels, reading)
        description = f"{_describe(raw, columns, {'score': remark}, recorded)}; {list_description}"
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


def _read_ids(raw: RawTable, columns: dict[str, int]) -> pa.Array:
    """Stripped, distinct and none empty; row numbers where the file has none."""
    if "id" not in columns:
        return pa.array(range(1, len(raw) + 1)).cast(pa.string())
    ids = pc.fill_null(raw.read_text(columns["id"], "id"), "")
    if empty := pc.sum(pc.equal(ids, "")).as_py():
        label = raw.column_label(columns["id"])
        raise DataError(f"{raw.path}: column {label}: {empty} of {len(raw)} rows have no id")
    try:
        refuse_repeated_ids(ids, raw.path)
    except DataError as error:
        name = raw.names[columns["id"]]
        hint = f"if they are videos with several scores each, give --column video={name} --column id="
        raise DataError(f"{error.message}: {hint}") from None
    return ids


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


def _read_label_columns(
    raw: RawTable, columns: dict[str, int], ids: pa.Array, one: Side | None, need_labels: bool = True
) -> tuple[dict[str, pa.Array], dict[str, str]]:
    """({column: values} of labels and all else known of the samples; how the labels are interpreted)."""
    roles = [role for role, index in columns.items() if role not in ("id", "score", "label")]
    texts = {role: raw.read_text(columns[role], role) for role in roles if raw.has_values(columns[role])}
    known = {role: pc.if_else(pc.equal(text, ""), None, text) for role, text in texts.items()}
    if "label" in columns:
        index = columns["label"]
        where, name = f"{raw.path}: column {raw.column_label(index)}", raw.names[index] if raw.named else ""
        known["label"], remark = parse_labels(raw.read_text(index, "label"), one, where=where, name=name)
    elif "species" in known and (labels := labels_from_species(known["species"])) is not None:
        known["label"], remark = labels, "by the species"
    elif not need_labels:
        return known, {}
    else:
        hint = " or --labels LIST" if "score" in columns else ""
        raise DataError(f"{raw.path}: no labels (found: {raw.summary}): give --column label=NAME{hint}")
    remarks = {"label": remark}
    if "split" in known and (note := _describe_splits(raw, known)):
        remarks["split"] = note
    if "species" in known:
        known["species"] = check_species(known["species"], known["label"], ids, str(raw.path))
    return known, remarks


def _describe_splits(raw: RawTable, known: dict[str, pa.Array]) -> str:
    """Replace words for splits, such as `devel`, by train, dev and test; return what was replaced."""
    words = pc.unique(known["split"]).drop_null().to_pylist()
    splits = {word: parse_split(word) or word for word in words}
    refuse_synonyms({normalize_word(word): split for word, split in splits.items()}, raw.path)
    names = pa.array([splits[word] for word in words], pa.string())
    known["split"] = names.take(pc.index_in(known["split"], value_set=pa.array(words, pa.string())))
    return ", ".join(f"{word} = {split}" for word, split in splits.items() if word != split)


def _look_up_labels(
    raw: RawTable, ids: pa.Array, videos: pa.Array | None, labels: Path, reading: Reading
) -> tuple[dict[str, pa.Array], str]:
    """({column: values} that a list holds of the ids, or of their videos; how the list is interpreted)."""
    listing = name_list_columns(read_raw_table(labels))
    requested = {role: name for role, name in reading.columns.items() if role not in ("id", "score")}
    columns = assign_columns(listing, [role for role in ROLES if role != "score"], requested)
    require_column(listing, columns, "id")
    listed_ids = _read_ids(listing, columns)
    known, remark = _read_label_columns(listing, columns, listed_ids, reading.label_one)
    keys, note = ids, ""
    if videos is not None and not pc.any(pc.is_in(ids, value_set=listed_ids)).as_py():
        keys, note = videos, ", whose ids are the videos of the samples"
    unlabelled = keys.filter(pc.invert(pc.is_in(keys, value_set=listed_ids))).to_pylist()
    unscored = listed_ids.filter(pc.invert(pc.is_in(listed_ids, value_set=keys))).to_pylist()
    if unlabelled or unscored:
        examples = [f" ({format_list(some, 3)})" if some else "" for some in (unlabelled, unscored)]
        raise DataError(
            f"{raw.path} and {labels} do not match: {len(unlabelled)} of {len(keys)} ids have no label"
            f"{examples[0]}, {len(unscored)} of {len(listed_ids)} labelled ones no score{examples[1]}"
        )
    rows = pc.index_in(keys, value_set=listed_ids)
    known = {role: column.take(rows) for role, column in known.items()}
    if videos is not None:
        known.setdefault("video", videos)
    return known, _describe(listing, columns, remark, {}) + note


def _describe(
    raw: RawTable, columns: dict[str, int], remarks: Mapping[str, str], recorded: dict[int, tuple[float, ...]]
) -> str:
    """E.g. `a.csv: 100 rows, CSV (,): id is 'file', score is 'prob' (high = live), not used: 'x'`."""
    used = {role: columns[role] for role in ROLES if role in columns and raw.has_values(columns[role])}
    items = [] if "id" in columns else ["no ids, so rows are numbered"]
    for role in ROLES:
        if role in used or role in remarks:
            column = raw.column_label(used[role]) if role in used else "given"
            items.append(f"{role} is {column}" + (f" ({remarks[role]})" if role in remarks else ""))
    for thresholds in recorded.values():
        items.append(f"threshold is said to be {format_list(f'{value:g}' for value in thresholds)}")
    used_indices = {*columns.values(), *recorded}
    unused = [index for index in range(len(raw.names)) if index not in used_indices and raw.has_values(index)]
    if unused:
        items.append(f"not used: {format_list(map(raw.column_label, unused))}")
    return f"{raw.path}: {len(raw)} rows, {raw.form}: {', '.join(items)}"
