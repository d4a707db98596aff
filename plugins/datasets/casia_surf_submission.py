"""The file of the challenge with CASIA-SURF (Liu et al., CVPRW 2019): a list's line and the score.

Phase 1 was about dev, phase 2 about test. Scores have all their digits, as in the files that the published
programs (FeatherNets, arXiv 1904.09290, and others) wrote.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fas_core.contracts import Submission, SubmissionPart
from fas_core.data.text_lists import known_split
from fas_core.errors import DataError, format_list
from fas_plugins.datasets.casia_surf import LISTS, MODALITIES, read_list
from fas_plugins.datasets.options import CasiaSurfOptions


def submission(options: CasiaSurfOptions, root: Path, split: str) -> Submission:
    """The lines of the public list, or of the private one without its labels where only that is there.

    Raises:
        DataError: there is no such list, it is malformed, or names a sample twice.
    """
    names = LISTS[known_split(split, ("dev", "test"), root)]
    folder = root / options.lists
    there = [folder / name for name in reversed(names) if (folder / name).is_file()]
    if not there:
        raise DataError(f"{folder}: no list of {split!r}: neither {' nor '.join(reversed(names))}")
    columns = read_list(there[0])
    rows = list(zip(*(columns[modality].to_pylist() for modality in MODALITIES), strict=True))
    ids = tuple(row[0] for row in rows)
    if again := [key for key, count in Counter(ids).items() if count > 1]:
        raise DataError(f"{there[0]}: {len(again)} samples are listed twice: {format_list(again)}")
    return Submission((SubmissionPart(there[0].name, ids, tuple(map(" ".join, rows))),), (split,))
