"""The errors that a user can cause. Any other exception is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from fas_core.names import escape_controls


class FasError(Exception):
    """A user's mistake: one line saying what is wrong, where, and what to do about it.

    `problems` has further lines, if several mistakes are reported at once. The command line prints all lines
    and exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__("\n  ".join((message, *self.problems)))


class ConfigError(FasError):
    """A recipe, flag or option that is not valid; every problem has its path."""


class PluginError(FasError):
    """A component that is unknown or provided twice, or a plugin that is not valid."""


class DataError(FasError):
    """A data set, list or image that cannot be read."""


class ModelError(FasError):
    """A checkpoint or model file that cannot be used here."""


class DeviceError(FasError):
    """A device that this machine or an installed library lacks, or that does not start."""


def format_list(items: Iterable[object], shown: int = 5) -> str:
    """Return the first few items, as one line, and the number of the others: `a, b, c and 7 more`."""
    names = [escape_controls(str(item)) for item in items]
    others = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {others} more" if others > 0 else "")


SIMILARITY = 0.75
"""Least `difflib` ratio of a suggestion: `shwo` for `show` has it, `resnet50` for `fishnet150` does not."""

PART = 3
"""Least length of a part of a name that suggests the name, such as `cross` of `cross_entropy`."""


def find_closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like a name, has its letters or has it as a part; else None."""
    from difflib import get_close_matches

    names = {other.lower(): other for other in sorted(known)}
    lower = name.lower()
    close = get_close_matches(lower, names, n=1, cutoff=SIMILARITY)
    swapped = [other for other in names if sorted(other) == sorted(lower)]
    parts = [other for other in names if len(lower) >= PART and lower in other]
    matches = close or swapped or parts
    return names[matches[0]] if matches else None


def suggest_closest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean X?)`, or the known names if none is close, or "" if there are none."""
    names = sorted(known)
    if (closest := find_closest(name, names)) is not None:
        return f" (did you mean {closest!r}?)"
    return f" (known: {', '.join(names)})" if names else ""


def require(extra: str, *modules: str, distribution: str = "fas-core") -> None:
    """Check that modules of an extra of a distribution are installed; else a FasError names the extra."""
    if missing := [name for name in modules if find_spec(name) is None]:
        raise FasError(f"this needs {', '.join(missing)}: pip install '{distribution}[{extra}]'")
