"""Paths as users write them, in which `~` and `~user` are a user's folder."""

from __future__ import annotations

from pathlib import Path


def expand_user(path: str | Path) -> Path:
    """Return a path with `~` and `~user` replaced by the user's folder; as it is where there is no such user.

    Shells do the same, so that a file named `~backup.jpg` can be given.

    >>> expand_user("~no-such-user/a.jpg").as_posix()
    '~no-such-user/a.jpg'
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
