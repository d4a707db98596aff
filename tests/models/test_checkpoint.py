"""Checkpoints on a disk that takes no more."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from fas_core.errors import FasError
from fas_core.models.checkpoint import save_state, save_weights


@pytest.fixture
def small_files() -> Iterator[None]:
    """The system refuses to write more than 10,000 bytes into one file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_takes_no_more_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"best\.safetensors: cannot be written"):
        save_weights(nn.Linear(100, 100), tmp_path / "best.safetensors")
    with pytest.raises(FasError, match=r"state\.pt: cannot be written"):
        save_state({"model": torch.zeros(10_000)}, tmp_path / "state.pt")
    assert not list(tmp_path.iterdir())
