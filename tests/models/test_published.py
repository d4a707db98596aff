"""Reading published checkpoints: their forms, damage, and code that is not run."""

from __future__ import annotations

import argparse
import os
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from fas_core.errors import ModelError
from fas_core.models.published import read_published

WEIGHTS = {"conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "conv.bias": torch.tensor([1.0, 2.0])}
PARALLEL = {f"module.{name}": value for name, value in WEIGHTS.items()}


def assert_equal(weights: dict[str, Tensor]) -> None:
    assert list(weights) == list(WEIGHTS)
    assert all(torch.equal(weights[name], value) for name, value in WEIGHTS.items())


@pytest.mark.parametrize("weights", [WEIGHTS, PARALLEL])
@pytest.mark.parametrize("suffix", [".pth", ".pth.tar", ".tar", ".pt"])
def test_a_bare_state_dict(tmp_path: Path, suffix: str, weights: dict[str, Tensor]) -> None:
    torch.save(weights, tmp_path / f"a{suffix}")
    checkpoint = read_published(tmp_path / f"a{suffix}")
    assert_equal(checkpoint.weights)
    assert (checkpoint.epoch, checkpoint.optimizer) == (None, None)


def test_safetensors(tmp_path: Path) -> None:
    save_file(PARALLEL, tmp_path / "a.safetensors")
    weights = read_published(tmp_path / "a.safetensors").weights
    assert_equal({name: weights[name] for name in WEIGHTS})  # the format sorts by name


def test_a_training_checkpoint_has_epoch_and_optimizer(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": PARALLEL, "optimizer": {"state": {}}}, tmp_path / "a.pth.tar")
    checkpoint = read_published(tmp_path / "a.pth.tar")
    assert_equal(checkpoint.weights)
    assert checkpoint.epoch == 3
    assert checkpoint.optimizer == {"state": {}}


def test_an_epoch_and_an_optimizer_of_another_type_are_ignored(tmp_path: Path) -> None:
    torch.save({"epoch": -1, "state_dict": WEIGHTS, "optimizer": [1]}, tmp_path / "a.pth")
    checkpoint = read_published(tmp_path / "a.pth")
    assert (checkpoint.epoch, checkpoint.optimizer) == (None, None)


def test_files_of_torch_before_1_6_are_read(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert_equal(read_published(tmp_path / "a.pth").weights)


class MakeFolder:
    """An object whose pickle makes a folder when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    torch.save({"state_dict": WEIGHTS, "extra": MakeFolder(folder)}, tmp_path / "zip.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(MakeFolder(folder), protocol=2))
    for name in ("zip.pth", "bare.pth"):
        with pytest.raises(ModelError, match=r"refused: reading it would call (posix|nt)\.mkdir"):
            read_published(tmp_path / name)
    assert not folder.exists()


@pytest.mark.parametrize("length", [0, 10, 300])
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, length: int) -> None:
    path = tmp_path / name
    torch.save(WEIGHTS, path) if name == "a.pth" else save_file(WEIGHTS, path)
    content = path.read_bytes()
    path.write_bytes(content[: min(length, len(content) - 1)])
    with pytest.raises(ModelError, match="truncated") as error:
        read_published(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "holds a list"),
        ({"model": 3}, "holds model"),
        ({}, "is empty"),
        ({"state_dict": {}}, "is empty"),
    ],
)
def test_content_that_is_no_state_dict_is_refused(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=message):
        read_published(tmp_path / "a.pth")


def test_missing_files_are_refused_and_other_names_do_not_matter(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_published(tmp_path / "a.pth")
    torch.save(WEIGHTS, tmp_path / "a.ckpt")
    save_file(WEIGHTS, tmp_path / "a.bin")
    (tmp_path / "a.safetensors").write_bytes((tmp_path / "a.ckpt").read_bytes())
    for name in ("a.ckpt", "a.bin", "a.safetensors"):  # a file is what it contains, whatever its name
        assert set(read_published(tmp_path / name).weights) == set(WEIGHTS)


@pytest.mark.parametrize(
    ("content", "key", "others"),
    [
        ({"model_state_dict": WEIGHTS, "optimizer_state_dict": {"state": {}}}, "model_state_dict", ()),
        ({"net": PARALLEL, "acc": 97.0, "epoch": 4}, "net", ()),
        ({"model": WEIGHTS, "ema": PARALLEL}, "model", ("ema",)),
        ({"ema": WEIGHTS, "state_dict": PARALLEL}, "state_dict", ("ema",)),
        ({"student": WEIGHTS}, "student", ()),
        ({"model": {"state_dict": WEIGHTS}, "optimizer": {"exp_avg": WEIGHTS}}, "model.state_dict", ()),
        ({f"_orig_mod.{name}": value for name, value in WEIGHTS.items()}, "", ()),
        ({f"module._orig_mod.{name}": value for name, value in WEIGHTS.items()}, "", ()),
        (
            {"state_dict": {f"_orig_mod.module.{name}": value for name, value in WEIGHTS.items()}},
            "state_dict",
            (),
        ),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_the_state_dict_is_read_wherever_it_is(
    tmp_path: Path, content: dict[str, Any], key: str, others: tuple[str, ...], zipped: bool
) -> None:
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    checkpoint = read_published(tmp_path / "a.pth")
    assert_equal(checkpoint.weights)
    assert (checkpoint.key, checkpoint.others) == (key, others)


def test_several_state_dicts_of_unknown_names_are_named(tmp_path: Path) -> None:
    torch.save({"generator": WEIGHTS, "critic": WEIGHTS}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match="several state dicts, generator, critic: save the network's one"):
        read_published(tmp_path / "a.pth")


class Meter:
    """An object of a training program, which has a class of its own."""

    def __init__(self) -> None:
        self.total = 3


@pytest.mark.parametrize("zipped", [True, False])
def test_objects_beside_the_weights_are_left_out(
    tmp_path: Path, zipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = {
        "best": np.float64(0.97),
        "history": np.arange(3.0),
        "args": argparse.Namespace(lr=0.1, output=Path("x"), betas=(0.9, 0.999)),
        "meter": Meter(),
        "counts": Counter("aab"),
    }
    torch.save({"state_dict": WEIGHTS, **beside}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    monkeypatch.setattr(Meter, "__setstate__", lambda self, state: pytest.fail("its code ran"), raising=False)
    assert_equal(read_published(tmp_path / "a.pth").weights)


def test_no_function_of_another_package_is_called(tmp_path: Path) -> None:
    class Save:
        def __reduce__(self) -> tuple[Any, ...]:
            return np.save, (str(tmp_path / "made.npy"), 3)

    torch.save({"state_dict": WEIGHTS, "extra": Save()}, tmp_path / "a.pth")
    assert_equal(read_published(tmp_path / "a.pth").weights)
    assert not (tmp_path / "made.npy").exists()


def test_a_whole_pickled_model_is_called_so(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 2))
    torch.save(model, tmp_path / "whole.pth")
    torch.save({"model": model, "epoch": 3}, tmp_path / "inside.pth")
    torch.save(model, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("whole.pth", "inside.pth", "old.pth"):
        with pytest.raises(
            ModelError, match=r"a whole pickled model of the class .*(Sequential|nn.Module), .*save model"
        ) as error:
            read_published(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    name, weight = next(iter(WEIGHTS.items()))
    torch.save({**WEIGHTS, name: torch.full_like(weight, value)}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=f"a.pth: weights that are not finite numbers: {name}"):
        read_published(tmp_path / "a.pth")
