"""The text of a challenge's file: its lines in its order, each followed by a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from fas_core.contracts import Submission, SubmissionPart
from fas_core.errors import DataError, format_list
from fas_core.scores.table import ScoreTable
from fas_core.scores.videos import Vote, by_video

Systems = Mapping[str, tuple[str, ScoreTable]]
"""`{system: (name of the table in errors, scores)}`; several systems may share one table."""


def list_systems(submission: Submission) -> tuple[str, ...]:
    """Return the systems of a submission in order; only `""` where one system scores all lines."""
    return tuple(dict.fromkeys(part.system for part in submission.parts))


def concatenate_scores(tables: Mapping[str, ScoreTable]) -> ScoreTable:
    """Join the tables of several splits.

    Args:
        tables: by their names in errors.

    Raises:
        DataError: an id is in two of them.
    """
    table = pa.concat_tables([scores.table for scores in tables.values()])
    counts = table.column("id").value_counts().to_pylist()
    if repeated := [str(count["values"]) for count in counts if count["counts"] > 1]:
        raise DataError(f"{len(repeated)} ids are in {' and in '.join(tables)}: {format_list(repeated)}")
    return ScoreTable(table)


def compose_submission(submission: Submission, systems: Systems, vote: Vote = "mean") -> str:
    """Return the text of the file.

    Args:
        submission: its lines.
        systems: the scores of each of `list_systems`.
        vote: how frames make the score of a video; tables of videos are used as they are.

    Raises:
        DataError: a table misses lines, has other ids, or has no number for a line.
    """
    parts_of_table: dict[str, list[SubmissionPart]] = {}
    for part in submission.parts:
        parts_of_table.setdefault(systems[part.system][0], []).append(part)
    tables = dict(systems.values())
    scores = {
        name: _select_scores(
            name, _aggregate(name, tables[name], vote) if submission.videos else tables[name], parts
        )
        for name, parts in parts_of_table.items()
    }
    lines = [
        f"{line} {format_score(scores[systems[part.system][0]][key], submission.decimals)}\n"
        for part in submission.parts
        for key, line in zip(part.ids, part.lines, strict=True)
    ]
    return "".join(lines)


def format_score(score: float, decimals: int | None) -> str:
    """Return a score with so many decimals, None for as many as it takes to read it back; never `-0.0`.

    >>> format_score(0.153614, 5), format_score(-1e-9, 5), format_score(0.1 + 0.2, None)
    ('0.15361', '0.00000', '0.30000000000000004')
    """
    return repr(score + 0.0) if decimals is None else f"{score:z.{decimals}f}"


def _aggregate(name: str, scores: ScoreTable, vote: Vote) -> ScoreTable:
    has_videos = scores.table.column("video").null_count < len(scores)
    return by_video(scores, vote, name=name) if has_videos else scores


def _select_scores(name: str, table: ScoreTable, parts: Sequence[SubmissionPart]) -> dict[str, float]:
    """Return `{id: score}` of a table that has exactly the lines of these parts, and a number for each.

    Raises:
        DataError: it does not.
    """
    scores = dict(zip(table.table.column("id").to_pylist(), table.scores.tolist(), strict=True))
    expected = {key: None for part in parts for key in part.ids}
    lists = " and ".join(dict.fromkeys(part.name for part in parts))
    missing = [key for key in expected if key not in scores]
    extra = [key for key in scores if key not in expected]
    not_finite = [key for key in expected if not np.isfinite(scores.get(key, 0.0))]
    problems = [
        f"{len(keys)} of {total} {text}: {format_list(keys)}"
        for keys, total, text in (
            (missing, len(expected), f"lines of {lists} have no score"),
            (extra, len(scores), f"scores are of no line of {lists}"),
            (not_finite, len(expected), "scores are not a finite number"),
        )
        if keys
    ]
    if problems:
        raise DataError(f"{name}: {'; '.join(problems)}")
    return scores
