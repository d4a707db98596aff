"""`examples/cefa_from_simulator.py` writes what the reader of CeFA takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fas_core.data.open import identify_dataset, open_dataset
from fas_core.registry import registry

FRAMES = 2


@pytest.fixture(scope="module")
def example(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("example")
    script = repository / "examples" / "cefa_from_simulator.py"
    options = ["--subjects", "9", "--frames", str(FRAMES), "--size", "48"]
    for expected in (0, 2):  # a folder that is there is not written over
        done = subprocess.run(
            [sys.executable, str(script), str(root / "cefa"), *options],
            env={**os.environ, "FAS_CACHE_DIR": str(root / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, done.stderr
    assert "is there already" in done.stderr
    return root / "cefa"


@pytest.mark.parametrize("protocol", ["4@1", "4@2", "4@3"])
def test_each_sub_protocol_trains_on_one_group_and_tests_on_the_others(example: Path, protocol: str) -> None:
    component, _ = identify_dataset(str(example), registry())
    assert component.name == "cefa"
    reader = open_dataset(str(example), {"protocol": protocol}, registry())
    train, dev, test = (reader.samples(split) for split in ("train", "dev", "test"))
    race = {"4@1": "AF", "4@2": "CA", "4@3": "EA"}[protocol]
    assert set(train.column("group")) == {race}
    assert set(train.column("species")) == {"live", "print"}
    for samples in (train, dev, test):
        counts = samples.counts()
        assert counts["live"]
        assert counts["attack"]
        videos = samples.column("video")
        assert {videos.count(video) for video in videos} == {FRAMES}
        assert all(path.is_file() for name in samples.modalities for path in samples.paths(name))
    assert len(test) > len(train)
    assert set(test.column("species")) <= {"live", None}


def test_a_video_of_test_stands_in_two_lists(example: Path) -> None:
    """Each group is tested by the two sub-protocols that are not trained on it."""
    listed = [
        line
        for number in (1, 2, 3)
        for line in (example / f"phase2/4@{number}_test_res.txt").read_text().split()
    ]
    assert {listed.count(video) for video in listed} == {2}
