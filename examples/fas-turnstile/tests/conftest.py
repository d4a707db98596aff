"""A small Turnstile data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest


def list_records() -> list[dict[str, Any]]:
    """Two live photos and two prints of each split at each gate; nobody is in two splits."""
    return [
        {
            "file": f"photos/{split}-{gate}-{kind}-{number}.png",
            "gate": gate,
            "person": f"{split}-{number}",
            "split": split,
            "class": kind,
        }
        for split in ("train", "dev", "test")
        for gate in (1, 2, 3)
        for kind in ("live", "print")
        for number in (1, 2)
    ]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(14)
    (tmp_path / "photos").mkdir()
    for record in list_records():
        pixels = rng.integers(0, 128, (32, 32, 3)) + 120 * (record["class"] == "live")
        assert cv2.imwrite(str(tmp_path / record["file"]), pixels.astype(np.uint8))
    (tmp_path / "turnstile.json").write_text(json.dumps({"photos": list_records()}))
    return tmp_path
