"""The file that a challenge takes, as a data set describes it: its lines without their scores."""

from __future__ import annotations

from attrs import frozen


@frozen
class SubmissionPart:
    """Successive lines of a submission file.

    Args:
        name: the list of the challenge that the lines come from, for messages.
        ids: the lines' samples (or videos), by their id in score tables; none occurs twice.
        lines: the text of each line before the score, which follows after a blank.
        system: whose scores the lines get. Where a challenge wants a system for each sub-protocol, it is the
            sub-protocol, e.g. `4@1`.
    """

    name: str
    ids: tuple[str, ...]
    lines: tuple[str, ...]
    system: str = ""


@frozen
class Submission:
    """A submission file without its scores.

    Args:
        splits: those that its lines cover.
        videos: whether a line is a video, whose frames' scores are joined to one.
        decimals: decimals of a score; None for as many as tell it from every other.
    """

    parts: tuple[SubmissionPart, ...]
    splits: tuple[str, ...]
    videos: bool = False
    decimals: int | None = None
