"""Column names and labels as people write them; a label is 1 or 0, true or false, or a word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list
from fas_core.scores.table import ATTACK, LIVE

Side = Literal["live", "attack"]

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
        "subject": "subject subject_id client client_id person person_id user user_id",
        "group": "group",
        "session": "session session_id",
        "device": "device device_id sensor camera",
        "video": "video video_id clip clip_id",
        "frame": "frame frame_id frame_number",
        "modalities": "modalities",
    }.items()
}
"""`{role: names}`. Of several ids the first in this order is used; other roles may have one column."""

LIVE_WORDS = {"live", "bonafide", "bona fide", "real", "genuine", "client"}
ATTACK_WORDS = {"attack", "spoof", "fake", "imposter", "impostor", "presentation attack"}
WORDS = dict.fromkeys(LIVE_WORDS, LIVE) | dict.fromkeys(ATTACK_WORDS, ATTACK)
NUMBERS = {"1": 1, "1.0": 1, "0": 0, "0.0": 0}
BOOLEANS = {"true": 1, "false": 0}
NO_SPECIES = {"", "none", "na", "n/a", "nan", "null", "-", "0"}
"""Species of live samples, besides words for live."""

SEPARATOR = re.compile(r"(?<=\w)[_ -]+(?=\w)")

MAX_SPELLINGS = 100
"""A column of more distinct values is not a column of label words."""


def normalize_name(name: str) -> str:
    """`Live-Score ` and `live.score` become `live_score`."""
    return re.sub(r"[\s.\-()]+", "_", name.strip().lower()).strip("_")


def is_known_name(name: str) -> bool:
    """Whether it is a usual name of any column."""
    return any(normalize_name(name) in names for names in COLUMN_NAMES.values())


def mentions_attack(name: str) -> bool:
    """Whether a name says that 1, or a high score, means attack."""
    return not {"attack", "spoof", "fake"}.isdisjoint(normalize_name(name).split("_"))


def are_label_words(distinct: pa.Array) -> bool:
    """Whether all values that are not empty are words for live or attack, and there are some."""
    if len(distinct) > MAX_SPELLINGS:
        return False
    words = set(_normalize(distinct)) - {""}
    return bool(words) and words <= set(WORDS)


def parse_labels(column: pa.Array, one: Side | None, *, where: str, name: str) -> tuple[pa.Array, str]:
    """Return ((N,) int8: 1 live, 0 attack, null where empty; how the values were interpreted).

    `one`: what 1 and true mean; None for live, unless the column's name says attack. `where`: the file and
    column, for messages. `name`: "" for none. Raises DataError where a value means neither, values are of
    several kinds, or the name says that 1 means attack.
    """
    words = _normalize(pc.unique(column))
    kinds = [kind for kind in (WORDS, NUMBERS, BOOLEANS) if any(word in kind for word in words)]
    if unknown := [word for word in words if word and not any(word in kind for kind in kinds)]:
        rows = pc.sum(_map_words(column, lambda word: word in unknown))
        raise DataError(
            f"{where}: labels of {rows} rows are not understood: {format_list(map(repr, unknown))}: "
            f"write 1 or 0, or words such as live and attack"
        )
    if len(kinds) > 1:
        examples = format_list(repr(word) for word in words if word)
        raise DataError(f"{where}: labels of several kinds, so none is clear: {examples}")
    if kinds == [WORDS]:
        return _map_words(column, WORDS.get).cast(pa.int8()), "words"
    if one is None and mentions_attack(name):
        raise DataError(
            f"{where}: does 1 mean attack in column {name!r}? Say so by --label-one attack (or live)"
        )
    labels = _map_words(column, {**NUMBERS, **BOOLEANS}.get).cast(pa.int8())
    return pc.subtract(pa.scalar(1, pa.int8()), labels) if one == "attack" else labels, f"1 = {one or 'live'}"


def labels_from_species(column: pa.Array) -> pa.Array | None:
    """Labels by a species column with a word for live, null where it is empty; None without such a word."""
    if LIVE_WORDS.isdisjoint(_normalize(pc.unique(column))):
        return None
    labels = _map_words(column, lambda word: LIVE if word in LIVE_WORDS else ATTACK if word else None)
    return labels.cast(pa.int8())


def check_species(column: pa.Array, labels: pa.Array, ids: pa.Array, where: str) -> pa.Array:
    """Return the species, with `live` for all live samples; null stays null for attacks.

    Raises DataError for a live sample with an attack's species or the reverse: mostly a wrong polarity.
    """
    is_live = pc.fill_null(pc.equal(labels, LIVE), False)
    is_attack = pc.fill_null(pc.equal(labels, ATTACK), False)
    names_attack = _map_words(column, lambda word: word not in LIVE_WORDS | NO_SPECIES)
    names_live = _map_words(column, lambda word: word in LIVE_WORDS)
    contrary = pc.or_(pc.and_(is_live, names_attack), pc.and_(is_attack, names_live))
    if pc.any(contrary).as_py():
        pairs = zip(ids.filter(contrary).to_pylist(), column.filter(contrary).to_pylist(), strict=True)
        offenders = [f"{sample} ({species})" for sample, species in pairs]
        raise DataError(
            f"{where}: label and species contradict each other in {len(offenders)} rows: "
            f"{format_list(offenders, 3)}: is 1 an attack (--label-one attack)? "
            f"Or leave the species out (--column species=)"
        )
    return pc.if_else(is_live, "live", column)


def _normalize(column: pa.Array) -> list[str]:
    """Values in lower case, `bona_fide` and `bona-fide` as `bona fide`, null as ""."""
    return [SEPARATOR.sub(" ", value.strip().lower()) if value else "" for value in column.to_pylist()]


def _map_words(column: pa.Array, function: Callable[[str], Any]) -> pa.Array:
    """Apply a function to every value, normalised."""
    distinct = pc.unique(column)
    return pa.array(map(function, _normalize(distinct))).take(pc.index_in(column, distinct))
