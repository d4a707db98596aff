"""Files beside crops and frames: the manifest, copies of list files, and lists of what could not be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from fas_core.atomic import replacing, write_text
from fas_core.data.text_lists import is_image
from fas_core.names import escape_controls

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
    """Write a text file of lines; a name with a line break, or another control character, stays one."""
    write_text(path, "".join(f"{escape_controls(line)}\n" for line in lines))
