"""Image files of a data set, each read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core.data.image_files import CHUNK, read_files
from fas_core.records.samples import SampleTable

Save = Callable[[Path, Any], Path]


@pytest.mark.parametrize("workers", [1, 3])
def test_damaged_files_are_told_from_their_neighbours(tmp_path: Path, workers: int) -> None:
    names = [f"{number:03}.jpg" for number in range(CHUNK + 3)]
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for name in names:
        assert cv2.imwrite(str(tmp_path / name), noise)
    data = (tmp_path / names[0]).read_bytes()
    middle = len(data) // 2
    garbage = np.random.default_rng(1).integers(1, 255, 300, np.uint8).tobytes()
    for name in (names[5], names[-1]):
        (tmp_path / name).write_bytes(data[:middle] + garbage + data[middle + 300 :])
    (tmp_path / names[7]).write_bytes(data[:middle])
    samples = SampleTable.of({"id": names, "rgb": names}, modalities=["rgb"], root=tmp_path)
    files = read_files({"train": samples, "test": samples.take([0])}, workers)
    problems = {path.name: file.problem for path, file in files.items() if file.problem}
    assert list(problems) == [names[5], names[7], names[-1]]
    assert "the image is damaged: Corrupt JPEG data" in problems[names[5]]
    assert "is cut off" in problems[names[7]]
    assert files[tmp_path / names[0]].shape == (64, 64, 3)
    assert files[tmp_path / names[0]].digest == files[tmp_path / names[1]].digest
