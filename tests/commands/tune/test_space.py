"""The search space, as it is written on the command line and in files."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from fas_core.errors import ConfigError
from fas_plugins.commands.tune.space import Choices, Range, read_space


def test_ranges_and_choices_are_read() -> None:
    space = read_space(
        ["train.lr=log:1e-4:1e-1", "train.batch_size=int:8:64", "train.optimizer=[sgd, adamw]"]
    )
    assert space == {
        "train.lr": Range("log", 1e-4, 0.1),
        "train.batch_size": Range("int", 8, 64),
        "train.optimizer": Choices(('"sgd"', '"adamw"')),
    }
    assert space["train.batch_size"].examples() == [8, 64]
    assert space["train.optimizer"].to_plain() == ["sgd", "adamw"]


def test_a_file_has_several_keys_and_later_ones_win(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("train.lr: log:1e-4:1e-1\naugment.crop_scale: [[0.1, 1.0], [0.5, 1.0]]\n")
    space = read_space([str(file), "train.lr=float:0.01:0.02"])
    assert space["train.lr"] == Range("float", 0.01, 0.02)
    assert space["augment.crop_scale"].examples() == [[0.1, 1.0], [0.5, 1.0]]


def test_a_trial_gets_values_of_the_right_kind() -> None:
    space = read_space(["a=logint:2:8", "b=float:0:1", "c=[[1, 2], null]", "d=int:3:4"])
    trial = optuna.create_study().ask()
    values = {key: dimension.suggest(trial, key) for key, dimension in space.items()}
    assert isinstance(values["a"], int)
    assert 2 <= values["a"] <= 8
    assert 0 <= values["b"] <= 1
    assert values["c"] in ([1, 2], None)
    assert values["d"] in (3, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train.lr=log:0:1", "must be LOW < HIGH of a kind"),
        ("train.lr=log:1:0.1", "must be LOW < HIGH"),
        ("train.lr=log:1e-4", "must be LOW < HIGH"),
        ("train.lr=normal:0:1", "must be LOW < HIGH of a kind, as log:1e-4:1e-1"),
        ("train.lr=float:0:inf", "must be LOW < HIGH"),
        ("train.batch_size=int:8.5:9", "must be LOW < HIGH"),
        ("train.lr=0.1", "must be a range or a list"),
        ("train.lr=[]", "must be a range or a list"),
        ("train.lr=[1, 1]", "a choice is given twice"),
        ("train.seed=int:1:9", "train.seed is not tuned"),
        ("data.root=[a, b]", "data.root is not tuned: trials are compared on the same dev samples"),
        ("folds=[a, b]", "folds is not tuned"),
        ("train.lr=[2026-01-01]", "'2026-01-01' is a date, which no recipe has"),
        ("train.lr=[!!set {a, b}]", "is a set, which no recipe has"),
        ("none.yaml", "none.yaml: cannot be read"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_space([text])


@pytest.mark.parametrize("text", ["", "- train.lr", "1: 2"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="must be a mapping of keys"):
        read_space([str(file)])
