"""The challenge's file: `photo score` for each test photo, gate after gate, each scored by its own system."""

from __future__ import annotations

from pathlib import Path

from fas_core import DataError, Submission, SubmissionPart
from fas_turnstile.index import read_index
from fas_turnstile.options import GATES, TurnstileOptions


def build_submission(options: TurnstileOptions, root: Path, split: str) -> Submission:
    """Return the file's lines; the challenge has them for test alone.

    Raises:
        DataError: the split is another, or a gate has no test photos.
    """
    if split != "test":
        raise DataError(f"{root}: the challenge takes scores of test, not of {split}")
    photos = [photo for photo in read_index(root) if photo.split == split]
    parts = []
    for gate in GATES:
        files = tuple(photo.file for photo in photos if photo.gate == gate)
        if not files:
            raise DataError(f"{root}: no test photos of gate {gate}")
        parts.append(SubmissionPart(f"gate {gate}", files, files, system=f"gate@{gate}"))
    return Submission(tuple(parts), (split,), decimals=6)
