"""Files beside crops and frames: the manifest, copies of list files, and lists of what could not be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from fas_core.atomic import replacing
from fas_core.data.text_lists import is_image

MANIFEST = "manifest.csv"


def copy_lists(markers: Iterable[str], root: Path, destination: Path) -> list[Path]:
    """Copy the list files of a layout, so that `destination` has the same layout; return the copied files."""
    files = sorted({path for marker in markers for path in root.glob(marker)})
    lists = [path for path in files if path.is_file() and not is_image(path.name)]
    for path in lists:
        with replacing(destination / path.relative_to(root)) as temporary:
            shutil.copyfile(path, temporary)
    return lists


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file of lines."""
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
