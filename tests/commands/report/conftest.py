"""Run folders as `fas train` leaves them, without training: what a report is made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from fas_core.data.open import open_dataset
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable

KINDS = {"live": 12, "attack/print": 6, "attack/replay": 6}
ENVIRONMENT = {"packages": {"fas-core": "0.1.0", "numpy": "2.0"}, "python": "3.11.7", "platform": "Linux"}


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a `folder` data set of rgb and depth; of one sample depth is absent."""
    root, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(7)
    for split in ("dev", "test"):
        for kind, count in KINDS.items():
            folder = root / split / kind
            folder.mkdir(parents=True)
            for number in range(count):
                for modality in ("rgb", "depth"):
                    image = rng.integers(0, 256, (24, 24, 3), np.uint8)
                    cv2.imwrite(str(folder / f"{number:02}_{modality}.png"), image)
    (root / "test" / "live" / "00_depth.png").unlink()
    return root


@pytest.fixture(scope="session")
def make_run(photos: Path) -> Callable[..., Path]:
    """`make_run(path, quality=1.0, seed=0)`: the higher its quality, the farther live is from attacks."""

    def make(path: Path, quality: float = 1.0, seed: int = 0) -> Path:
        recipe = {"data": {"name": "folder", "root": str(photos)}, "modalities": ["rgb", "depth"]}
        path.mkdir(parents=True)
        (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        (path / "environment.json").write_text(json.dumps(ENVIRONMENT))
        reader, rng = open_dataset(f"folder:{photos}", None, registry()), np.random.default_rng(seed)
        prints: dict[str, Any] = {}
        for split in ("dev", "test"):
            samples = reader.samples(split)
            prints[split] = samples.fingerprint()
            scores = rng.normal(quality * samples.labels, 0.6)
            ScoreTable.from_samples(samples, scores).write(path / "scores" / f"{split}.csv")
        lines = [{"epoch": 1, "loss": 0.5, "dev": {"eer": 0.3}, "best": True}]
        lines.append({"epoch": 2, "loss": 0.25, "dev": {"eer": 0.4}, "best": False})
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        splits = {"test": {"notes": ["a note of the run"]}}
        results = {"train_hours": 1.5, "data": prints, "splits": splits}
        (path / "results.json").write_text(json.dumps(results))
        return path

    return make
