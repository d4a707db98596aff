"""Submission file of the CASIA-SURF challenge (Liu et al., CVPRW 2019): a line of the list and the score.

Phase 1 is the dev list, phase 2 the test list. Scores have full precision, as in the files of published
programs (FeatherNets, arXiv 1904.09290, and others).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fas_core.contracts import Submission, SubmissionPart
from fas_core.data.text_lists import known_split
from fas_core.errors import DataError, format_list
from fas_plugins.datasets.casia_surf import LISTS, MODALITIES, read_list
from fas_plugins.datasets.options import CasiaSurfOptions


def build_submission(options: CasiaSurfOptions, root: Path, split: str) -> Submission:
    """Return the lines of the public list, or of the private list without labels if there is no public one.

    Raises:
        DataError: both lists are missing, or the list is malformed or names a sample twice.
    """
    names = tuple(reversed(LISTS[known_split(split, ("dev", "test"), root)]))
    folder = root / options.lists
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    if file is None:
        raise DataError(f"{folder}: no list of {split!r}: neither {' nor '.join(names)}")
    columns = read_list(file)
    rows = list(zip(*(columns[modality].to_pylist() for modality in MODALITIES), strict=True))
    ids = tuple(row[0] for row in rows)
    if repeated := [key for key, count in Counter(ids).items() if count > 1]:
        raise DataError(f"{file}: {len(repeated)} samples are listed twice: {format_list(repeated)}")
    return Submission((SubmissionPart(file.name, ids, tuple(map(" ".join, rows))),), (split,))
