"""What a score file, or a list of labels, knows of its samples: ids, labels, species, splits and the like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list
from fas_core.scores.files.columns import RawTable, assign_columns, require_column
from fas_core.scores.files.labels import Side, check_species, labels_from_species, parse_labels
from fas_core.scores.files.published import name_list_columns
from fas_core.scores.files.raw import read_raw_table
from fas_core.scores.label_words import normalize_word, parse_split, refuse_synonyms
from fas_core.scores.table import SCHEMA, refuse_repeated_ids

ROLES = tuple(SCHEMA.names)


def read_ids(raw: RawTable, columns: dict[str, int]) -> pa.Array:
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


def read_label_columns(
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


def look_up_labels(
    raw: RawTable,
    ids: pa.Array,
    videos: pa.Array | None,
    labels: Path,
    requested: Mapping[str, str],
    one: Side | None,
) -> tuple[dict[str, pa.Array], str]:
    """({column: values} that a list holds of the ids, or of their videos; how the list is interpreted)."""
    listing = name_list_columns(read_raw_table(labels))
    requested = {role: name for role, name in requested.items() if role not in ("id", "score")}
    columns = assign_columns(listing, [role for role in ROLES if role != "score"], requested)
    require_column(listing, columns, "id")
    listed_ids = read_ids(listing, columns)
    known, remark = read_label_columns(listing, columns, listed_ids, one)
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
    return known, describe_columns(listing, columns, remark, {}) + note


def describe_columns(
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
