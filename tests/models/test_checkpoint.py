"""Weights and training state: written completely or not at all, and read back."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from fas_core.errors import FasError, ModelError
from fas_core.models.checkpoint import load_state, load_weights, save_state, save_weights


@pytest.fixture
def small_files() -> Iterator[None]:
    """The system refuses to write more than 10,000 bytes into one file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_reported_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"best\.safetensors: cannot be written"):
        save_weights(nn.Linear(100, 100), tmp_path / "best.safetensors")
    with pytest.raises(FasError, match=r"state\.pt: cannot be written"):
        save_state({"model": torch.zeros(10_000)}, tmp_path / "state.pt")
    assert not list(tmp_path.iterdir())


def test_weights_are_loaded_as_they_were_saved(tmp_path: Path) -> None:
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    save_weights(first, tmp_path / "best.safetensors")
    load_weights(second, tmp_path / "best.safetensors")
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)


def test_weights_of_another_model_are_refused_and_change_nothing(tmp_path: Path) -> None:
    save_weights(nn.Linear(3, 2), tmp_path / "best.safetensors")
    other = nn.Sequential(nn.Linear(3, 2))
    before = other[0].weight.clone()
    with pytest.raises(ModelError, match=r"another model.*0\.weight is missing"):
        load_weights(other, tmp_path / "best.safetensors")
    assert torch.equal(other[0].weight, before)
    with pytest.raises(ModelError, match=r"weight is \(2, 3\) and should be \(2, 4\)"):
        load_weights(nn.Linear(4, 2), tmp_path / "best.safetensors")
    with pytest.raises(ModelError, match="bias is not in the model"):
        load_weights(nn.Linear(3, 2, bias=False), tmp_path / "best.safetensors")


def test_a_state_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    save_state({"epoch": 3, "tensors": [torch.arange(3)]}, tmp_path / "state.pt")
    state = load_state(tmp_path / "state.pt")
    assert state["epoch"] == 3
    assert state["tensors"][0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_missing_and_damaged_files_are_one_line(tmp_path: Path, content: bytes | None) -> None:
    for name in ("best.safetensors", "state.pt"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=r"best\.safetensors: ") as weights:
        load_weights(nn.Linear(3, 2), tmp_path / "best.safetensors")
    with pytest.raises(ModelError, match=r"state\.pt: ") as state:
        load_state(tmp_path / "state.pt")
    assert "\n" not in str(weights.value) + str(state.value)
