"""Score tables, error rates, thresholds, video scores, and anybody's score files."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fas_core.scores.table import ScoreTable as ScoreTable


def __getattr__(name: str) -> Any:
    if name != "ScoreTable":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fas_core.scores import table  # pyarrow takes a while to import

    return table.ScoreTable
