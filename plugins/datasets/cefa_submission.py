"""The file of the challenge with CASIA-SURF CeFA (CVPRW 2020): a line a video, `path score`, five decimals.

Phase 1: the dev videos of the three sub-protocols, 200 lines each. Phase 2: those and the test videos of
each, dev before test, 7,200 lines. A model that was trained for a sub-protocol scores its lines, which may
name videos that another's lines name too.
"""

from __future__ import annotations

from pathlib import Path

from fas_core.contracts import Submission, SubmissionPart
from fas_core.data.text_lists import is_image, known_split, read_lines, refuse
from fas_core.errors import DataError
from fas_plugins.datasets.cefa_lists import CHALLENGE
from fas_plugins.datasets.options import CefaOptions

PHASES = {"dev": ("dev",), "test": ("dev", "test")}
LISTS = ("4@{}_{}_res.txt", "4@{}_{}_ref.txt")
"""Without labels, and with."""


def submission(options: CefaOptions, root: Path, split: str) -> Submission:
    """The lines of phase 1 (`dev`) or of phase 2 (`test`), always of all three sub-protocols.

    Raises:
        DataError: a list is missing, empty or malformed, which is so for one of the full release.
    """
    splits = PHASES[known_split(split, tuple(PHASES), root)]
    parts = [
        _part(protocol, _list(root, number, part))
        for protocol, number in CHALLENGE.numbers.items()
        for part in splits
    ]
    return Submission(tuple(parts), splits, videos=True, decimals=5)


def _list(root: Path, number: str, split: str) -> Path:
    names = [name.format(number, split) for name in LISTS]
    there = [
        root / folder / name
        for name in names
        for folder in CHALLENGE.folders
        if (root / folder / name).is_file()
    ]
    if not there:
        raise DataError(
            f"{root}: no {' nor '.join(names)}, neither here nor in phase1 or phase2: the file is about the "
            f"challenge release's videos of all three sub-protocols"
        )
    return there[0]


def _part(protocol: str, file: Path) -> SubmissionPart:
    lines: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(read_lines(file), 1):
        if not line:
            continue
        path = line.split()[0]
        video = path.replace("\\", "/").strip("/")
        if len(line.split()) > 2 or is_image(path):
            problems.append(f"{file}:{number}: {line!r} is not like dev/003000, a video")
        elif lines.setdefault(video, path) is not path:
            problems.append(f"{file}:{number}: {video} is listed before")
    refuse(file, problems)
    if not lines:
        raise DataError(f"{file}: the list is empty")
    return SubmissionPart(file.name, tuple(lines), tuple(lines.values()), protocol)
