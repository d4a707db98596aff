"""A file's columns, and the role of each: as requested, else by name, else by content, ambiguity refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen

from fas_core.errors import DataError, format_list, suggest_closest
from fas_core.scores.files.labels import are_label_numbers, are_label_words, parse_numbers

MAX_CELL = 4096
"""Characters of a text: the longest path that Linux takes."""

UNPRINTABLE = r"[\x00-\x08\x0a-\x1f\x7f-\x{9f}\x{2028}\x{2029}]"

COLUMN_NAMES: dict[str, list[str]] = {
    role: names.split()
    for role, names in {
        "id": "id sample_id image_id path file filename file_name filepath file_path image image_path "
        "image_name img img_path img_name rgb color sample name",
        "score": "score scores prob probs probability confidence pred_score prediction_score "
        "p_live live_score score_live live_prob prob_live live_probability live_confidence p_real real_score "
        "score_real real_prob prob_real liveness liveness_score bonafide_score score_bonafide prob_bonafide "
        "genuine_score score_genuine p_attack attack_score score_attack attack_prob prob_attack "
        "attack_probability p_spoof spoof_score score_spoof spoof_prob prob_spoof spoof_probability "
        "p_fake fake_score score_fake fake_prob prob_fake",
        "label": "label labels gt ground_truth groundtruth target y y_true truth class "
        "live is_live real is_real bonafide bona_fide is_bonafide genuine is_genuine "
        "attack is_attack spoof is_spoof fake is_fake gt_label true_label",
        "species": "species attack_species attack_type spoof_type pai pai_species pais instrument "
        "attack_instrument",
        "split": "split subset partition",
        "subject": "subject subject_id client client_id claimed_id person person_id user user_id",
        "group": "group",
        "session": "session session_id",
        "device": "device device_id sensor camera",
        "video": "video video_id clip clip_id",
        "frame": "frame frame_id frame_number",
        "modalities": "modalities",
    }.items()
}
"""`{role: names}`. Of several ids the first in this order is used; other roles may have one column."""


@frozen(eq=False)
class RawTable:
    """The table of a file, at least one row, and its format, e.g. `CSV (;)`.

    Where the file does not name its columns (`named`), their names are numbers from 1.
    """

    path: Path
    form: str
    table: pa.Table
    named: bool = True

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    @property
    def summary(self) -> str:
        """Names of all columns, or how many there are, for messages."""
        return format_list(self.names, 12) if self.named else f"no header, {len(self.names)} columns"

    def column_label(self, index: int) -> str:
        """A column's name for messages."""
        return repr(self.names[index]) if self.named else f"column {self.names[index]}"

    def has_values(self, index: int) -> bool:
        """Whether any cell of a column is not null."""
        return bool(self.table.column(index).null_count < len(self))

    def read_text(self, index: int, role: str) -> pa.Array:
        """Return a column as stripped strings of one line; raise DataError where it holds other values."""
        column = self.table.column(index).combine_chunks()
        try:
            if pa.types.is_nested(column.type):
                raise pa.ArrowInvalid(f"it holds {column.type}")
            text = pc.utf8_trim_whitespace(column.cast(pa.string()))
            if (longest := pc.max(pc.utf8_length(text)).as_py() or 0) > MAX_CELL:
                raise pa.ArrowInvalid(f"a value of {longest:,} characters, and at most {MAX_CELL:,} are read")
            if broken := pc.sum(pc.match_substring_regex(text, UNPRINTABLE)).as_py():
                raise pa.ArrowInvalid(f"{broken} values have line breaks or control characters")
        except pa.ArrowException as error:
            reason = " ".join(str(error).split())
            where = f"{self.path}: column {self.column_label(index)}"
            raise DataError(f"{where} cannot be the {role}: {reason}") from error
        return text

    def __len__(self) -> int:
        return int(self.table.num_rows)


def normalize_name(name: str) -> str:
    """`Live-Score ` and `live.score` become `live_score`."""
    return re.sub(r"[\s.\-()]+", "_", name.strip().lower()).strip("_")


def is_known_name(name: str) -> bool:
    """Whether it is a usual name of any column."""
    return any(normalize_name(name) in names for names in COLUMN_NAMES.values())


def assign_columns(raw: RawTable, roles: Sequence[str], requested: Mapping[str, str]) -> dict[str, int]:
    """Return `{role: index of its column}` of the roles, of `COLUMN_NAMES`, that have one.

    `requested`: `{role: name or number from 1}`; an empty name: the role has no column. Raises DataError
    where a requested column does not exist, or a role has two candidates.
    """
    assigned = {role: _requested_column(raw, role, requested[role]) for role in roles if requested.get(role)}
    open_roles = [role for role in roles if role not in requested]
    free = [index for index in range(len(raw.names)) if index not in assigned.values()]
    return assigned | (_match_names if raw.named else _match_content)(raw, open_roles, free)


def require_column(raw: RawTable, columns: dict[str, int], role: str) -> int:
    """Return the column of a required role; raise DataError where it has none."""
    if role in columns:
        return columns[role]
    raise DataError(
        f"{raw.path}: no column that is plainly the {role} (found: {raw.summary}): "
        f"say which by --column {role}=NAME, or its number"
    )


def recorded_thresholds(raw: RawTable, columns: dict[str, int]) -> dict[int, tuple[float, ...]]:
    """`{index: distinct finite numbers, ascending}` of a column `threshold` without a role, if any."""
    names = [normalize_name(name) for name in raw.names]
    if "threshold" not in names or (index := names.index("threshold")) in columns.values():
        return {}
    column, numbers = raw.table.column(index), None
    if pa.types.is_string(column.type):
        numbers = parse_numbers(pc.utf8_trim_whitespace(pc.unique(column)))
    elif pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        numbers = pc.unique(column).cast(pa.float64(), safe=False)
    values = [] if numbers is None else numbers.drop_null().to_pylist()
    thresholds = tuple(sorted(filter(isfinite, values)))
    return {index: thresholds} if thresholds else {}


def _requested_column(raw: RawTable, role: str, name: str) -> int:
    if name in raw.names:
        return raw.names.index(name)
    if name.isdecimal() and 1 <= int(name) <= len(raw.names):
        return int(name) - 1
    hint = suggest_closest(name, raw.names)
    if not raw.named:
        hint = f" (no header; there are columns 1 to {len(raw.names)})"
    raise DataError(f"{raw.path}: no column {name!r} for {role!r}{hint}")


def _match_names(raw: RawTable, roles: Sequence[str], free: Sequence[int]) -> dict[str, int]:
    names = {index: normalize_name(raw.names[index]) for index in free}
    candidates = {
        role: [index for known in COLUMN_NAMES[role] for index, name in names.items() if name == known]
        for role in roles
    }
    return _choose(raw, candidates)


def _match_content(raw: RawTable, roles: Sequence[str], free: Sequence[int]) -> dict[str, int]:
    """Without a header: the numbers are the score, 0/1 or words the label, the first text the id."""
    guesses = {index: _guess_role(raw.table.column(index).combine_chunks()) for index in free}
    required = [role for role in ("score", "label", "id") if role in roles]
    return _choose(raw, {role: [index for index in free if guesses[index] == role] for role in required})


def _choose(raw: RawTable, candidates: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Return the first candidate of each role; only ids may have several."""
    for role, indices in candidates.items():
        if len(indices) > 1 and role != "id":
            labels = format_list([raw.column_label(index) for index in indices])
            raise DataError(
                f"{raw.path}: {len(indices)} columns could be the {role}: {labels}: say which by "
                f"--column {role}={raw.names[indices[0]]}"
            )
    return {role: indices[0] for role, indices in candidates.items() if indices}


def _guess_role(column: pa.Array) -> str | None:
    """`label`, `score` or `id`; None of an empty column."""
    distinct = pc.unique(column)
    if not pc.any(pc.not_equal(distinct, "")).as_py():
        return None
    if (numbers := parse_numbers(distinct)) is not None:
        return "label" if are_label_numbers(numbers) else "score"
    return "label" if are_label_words(distinct) else "id"
