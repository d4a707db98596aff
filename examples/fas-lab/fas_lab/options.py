"""Options that recipes can set: `train: {trackers: [{name: leaderboard, figures: [eer]}]}`."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class LeaderboardOptions:
    """Options of the leaderboard.

    Args:
        file: name of the table, which lies beside the folders of the runs.
        figures: names of its figures.
    """

    file: str = field(default="leaderboard.csv", validator=v.matches_re(r"[\w.-]+\.csv"))
    figures: tuple[str, ...] = field(default=("acer", "eer", "auc"), validator=v.min_len(1))
