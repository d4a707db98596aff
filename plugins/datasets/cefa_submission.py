"""Submission file of the CASIA-SURF CeFA challenge (CVPRW 2020): `path score` per video, five decimals.

Phase 1 has the dev videos of the three sub-protocols, 200 lines each. Phase 2 has the dev and then the test
videos of each, 7,200 lines. The model of each sub-protocol scores its own lines; two sub-protocols may list
the same video.
"""

from __future__ import annotations

from pathlib import Path

from fas_core.contracts import Submission, SubmissionPart
from fas_core.data.text_lists import is_image, known_split, read_lines, refuse
from fas_core.errors import DataError
from fas_plugins.datasets.cefa_lists import CHALLENGE
from fas_plugins.datasets.options import CefaOptions

PHASES = {"dev": ("dev",), "test": ("dev", "test")}
UNLABELLED_LIST, LABELLED_LIST = "4@{}_{}_res.txt", "4@{}_{}_ref.txt"


def build_submission(options: CefaOptions, root: Path, split: str) -> Submission:
    """Return the lines of phase 1 (`dev`) or phase 2 (`test`) of all three sub-protocols.

    Raises:
        DataError: a list is missing, empty or malformed, as the lists of the full release are here.
    """
    splits = PHASES[known_split(split, tuple(PHASES), root)]
    parts = [
        _read_part(protocol, _find_list(root, number, part_split))
        for protocol, number in CHALLENGE.numbers.items()
        for part_split in splits
    ]
    return Submission(tuple(parts), splits, videos=True, decimals=5)


def _find_list(root: Path, number: str, split: str) -> Path:
    names = [name.format(number, split) for name in (UNLABELLED_LIST, LABELLED_LIST)]
    candidates = [root / folder / name for name in names for folder in CHALLENGE.folders]
    file = next((file for file in candidates if file.is_file()), None)
    if file is None:
        raise DataError(
            f"{root}: no {' nor '.join(names)}, neither here nor in phase1 or phase2: the submission file "
            f"needs the challenge release's lists of all three sub-protocols"
        )
    return file


def _read_part(protocol: str, file: Path) -> SubmissionPart:
    lines: dict[str, str] = {}  # {video: its path as the list writes it}
    problems: list[str] = []
    for number, line in enumerate(read_lines(file), 1):
        if not line:
            continue
        path = line.split()[0]
        video = path.replace("\\", "/").strip("/")
        if len(line.split()) > 2 or is_image(path):
            problems.append(f"{file}:{number}: {line!r} is not like dev/003000, a video")
        elif video in lines:
            problems.append(f"{file}:{number}: {video} is listed before")
        else:
            lines[video] = path
    refuse(file, problems)
    if not lines:
        raise DataError(f"{file}: the list is empty")
    return SubmissionPart(file.name, tuple(lines), tuple(lines.values()), protocol)
