"""Paths as users write them, `~` and `~user` being a user's folder; and the folder of the user's cache."""

from __future__ import annotations

import os
import sys
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


def cache_folder() -> Path:
    """Return the folder named by `FAS_CACHE_DIR`, or else that of `fas` in the user's cache."""
    folder = os.environ.get("FAS_CACHE_DIR")
    if folder:
        return expand_user(folder)
    if str(sys.platform) == "linux":  # as platformdirs, whose import would be a fiftieth of a short command
        caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
        return (caches if caches.is_absolute() else expand_user("~/.cache")) / "fas"
    from platformdirs import user_cache_path

    return user_cache_path("fas")
