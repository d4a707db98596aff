"""The mistakes in plain data: each has its path, and all of them are reported at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

Problems = list[tuple[str, str]]
"""Pairs of a path, e.g. `train.lr`, and a message."""


class InvalidValueError(ValueError):
    """The mistakes in one value, with their paths relative to it."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))


@contextmanager
def collect_problems(problems: Problems, key: str) -> Iterator[None]:
    """Append the mistakes that the block raises to `problems`, with paths below `key`."""
    try:
        yield
    except InvalidValueError as error:
        problems += [(join_path(key, path), message) for path, message in error.problems]
    except (ValueError, TypeError) as error:
        # attrs' validators raise `'lr' must be > 0: -1` and more arguments; the path has `lr` already.
        message = str(error.args[0]) if error.args else type(error).__name__
        problems.append((key, message.removeprefix(f"'{key}' ")))


def join_path(key: str, path: str) -> str:
    """Return the path of what is at `path` below `key`: `train.lr`, `metrics[0]`."""
    separator = "." if key and path and not path.startswith("[") else ""
    return f"{key}{separator}{path}"
