"""What a user can cause. Everything else that goes wrong is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec


class FasError(Exception):
    """A user's mistake: one line saying what is wrong, where, and what to do about it.

    `problems` holds further lines where several mistakes are reported at once. The command line
    prints the whole and exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__("\n  ".join((message, *self.problems)))


class ConfigError(FasError):
    """A recipe, flag or option that cannot be used; every problem carries its path."""


class PluginError(FasError):
    """A plugin that is unknown, failed, disabled or provided twice."""


class DataError(FasError):
    """A data set, list or image that cannot be read as what it should be."""


class ModelError(FasError):
    """A checkpoint or model file that does not fit what it is used for."""


def format_list(items: Iterable[object], shown: int = 5) -> str:
    """The first few offenders and how many more: `a, b, c and 7 more`."""
    names = [str(item) for item in items]
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def suggest_closest(name: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, or the known names, or nothing when there are none."""
    from difflib import get_close_matches

    names = sorted(known)
    if match := get_close_matches(name, names, n=1):
        return f" (did you mean {match[0]!r}?)"
    return f" (known: {', '.join(names)})" if names else ""


def require(extra: str, *modules: str, distribution: str = "fas-core") -> None:
    """Refuse in one line when optional dependencies are not installed.

    Args:
        extra: the extra that brings them, e.g. `train`.
        modules: importable names that tell whether they are installed.
        distribution: whose extra it is.

    Raises:
        FasError: one of the modules is absent.
    """
    if missing := [name for name in modules if find_spec(name) is None]:
        raise FasError(f"this needs {', '.join(missing)}: pip install '{distribution}[{extra}]'")
