"""The columns of a score table that samples can be grouped by."""

from __future__ import annotations

from fas_core.errors import ConfigError, suggest_closest

GROUPS = ("species", "subject", "group", "session", "device", "video", "split", "modalities")


def check_group_by(column: str) -> None:
    """Raise ConfigError if samples cannot be grouped by a column."""
    if column not in GROUPS:
        raise ConfigError(
            f"group_by {column!r}: samples have no such column{suggest_closest(column, GROUPS)}"
        )
