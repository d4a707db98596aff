"""The file that a challenge takes: its lines in its order, each followed by the score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from fas_core.contracts import Submission, SubmissionPart
from fas_core.errors import DataError, format_list
from fas_core.scores.table import ScoreTable
from fas_core.scores.videos import Vote, by_video


def systems(submission: Submission) -> tuple[str, ...]:
    """The systems that it wants, in order; only `""` where it wants one for all lines."""
    return tuple(dict.fromkeys(part.system for part in submission.parts))


def gathered(tables: Mapping[str, ScoreTable]) -> ScoreTable:
    """One table of several, as of the splits that a submission is about.

    Args:
        tables: by what errors call them.

    Raises:
        DataError: an id is in two of them.
    """
    table = pa.concat_tables([scores.table for scores in tables.values()])
    counts = table.column("id").value_counts()
    if again := [str(count["values"]) for count in counts.to_pylist() if count["counts"] > 1]:
        raise DataError(f"{len(again)} ids are in {' and in '.join(tables)}: {format_list(again)}")
    return ScoreTable(table)


def compose(submission: Submission, scores: Mapping[str, tuple[str, ScoreTable]], vote: Vote = "mean") -> str:
    """The text of the file.

    Args:
        submission: what is to stand in it.
        scores: `{system: (what errors call the table, its scores)}` for each of `systems`; several may share
            one table.
        vote: how frames make the score of a video; tables whose samples are videos are taken as they are.

    Raises:
        DataError: a table lacks lines, has others, or has no number for one; it says how many and which.
    """
    shared: dict[str, list[SubmissionPart]] = {}
    for part in submission.parts:
        shared.setdefault(scores[part.system][0], []).append(part)
    tables = dict(scores.values())
    values = {
        name: _values(
            name, _of_videos(name, tables[name], vote) if submission.videos else tables[name], parts
        )
        for name, parts in shared.items()
    }
    lines = [
        f"{line} {written(values[scores[part.system][0]][key], submission.decimals)}\n"
        for part in submission.parts
        for key, line in zip(part.ids, part.lines, strict=True)
    ]
    return "".join(lines)


def written(score: float, decimals: int | None) -> str:
    """A score as text: with so many decimals, else as many as it takes to read it back; never `-0.0`.

    >>> written(0.153614, 5), written(-1e-9, 5), written(0.1 + 0.2, None)
    ('0.15361', '0.00000', '0.30000000000000004')
    """
    return repr(score + 0.0) if decimals is None else f"{score:z.{decimals}f}"


def _of_videos(name: str, scores: ScoreTable, vote: Vote) -> ScoreTable:
    known = scores.table.column("video").null_count < len(scores)
    return by_video(scores, vote, name=name) if known else scores


def _values(name: str, scores: ScoreTable, parts: Iterable[SubmissionPart]) -> dict[str, float]:
    """`{id: score}` of a table that has exactly the lines of these parts, and a number for each.

    Raises:
        DataError: it has not.
    """
    found = dict(zip(scores.table.column("id").to_pylist(), scores.scores.tolist(), strict=True))
    wanted = {key: part.name for part in parts for key in part.ids}
    lists = " and ".join(dict.fromkeys(wanted.values()))
    missing = [key for key in wanted if key not in found]
    extra = [key for key in found if key not in wanted]
    silent = [key for key in wanted if not np.isfinite(found.get(key, 0.0))]
    problems = [
        f"{len(keys)} of {total} {what}: {format_list(keys)}"
        for keys, total, what in (
            (missing, len(wanted), f"lines of {lists} have no score"),
            (extra, len(found), f"scores are of no line of {lists}"),
            (silent, len(wanted), "scores are no number"),
        )
        if keys
    ]
    if problems:
        raise DataError(f"{name}: {'; '.join(problems)}")
    return found
