"""Scores of a run are read with the weights that gave them, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fas_core import DataError, ModelError, ScoreTable
from fas_core.models.checkpoint import load_weights, save_weights
from fas_core.runs.score_files import has_scores, read_scores, write_scores


def network(value: float) -> nn.Module:
    layer = nn.Linear(2, 1)
    nn.init.constant_(layer.weight, value)
    nn.init.zeros_(layer.bias)
    return layer


def scores(*values: float) -> ScoreTable:
    return ScoreTable.of({"id": [str(row) for row in range(len(values))], "score": list(values)})


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with weights and the scores that they gave to dev."""
    save_weights(network(1.0), tmp_path / "best.safetensors")
    write_scores(tmp_path, "dev", scores(0.25, 0.5))
    return tmp_path


def test_scores_are_read_back(run: Path) -> None:
    table = read_scores(run, "dev")
    assert table is not None
    assert table.scores.tolist() == [0.25, 0.5]
    assert has_scores(run, "dev")
    assert read_scores(run, "test") is None
    assert not has_scores(run, "test")


def test_scores_of_other_weights_are_refused(run: Path) -> None:
    save_weights(network(2.0), run / "best.safetensors")
    assert not has_scores(run, "dev")
    with pytest.raises(DataError, match=r"dev\.csv: not the scores of best\.safetensors.*fas train --resume"):
        read_scores(run, "dev")
    write_scores(run, "dev", scores(0.75))
    assert has_scores(run, "dev")


def test_changed_scores_are_refused(run: Path) -> None:
    path = run / "scores" / "dev.csv"
    path.write_text(path.read_text().replace("0.25", "0.95"))
    with pytest.raises(DataError, match=r"dev\.csv: its bytes have changed"):
        read_scores(run, "dev")


def test_the_record_of_one_split_does_not_touch_another(run: Path) -> None:
    write_scores(run, "test", scores(0.1), {"fold": np.array([1])})
    assert has_scores(run, "dev")
    assert has_scores(run, "test")


def test_runs_of_former_versions_are_read_unchecked(run: Path) -> None:
    (run / "scores" / "digests.json").unlink()
    assert read_scores(run, "dev") is not None


@pytest.mark.parametrize("text", ["{", "[]", '{"dev": 1}'])
def test_a_damaged_record(run: Path, text: str) -> None:
    (run / "scores" / "digests.json").write_text(text)
    with pytest.raises(DataError, match=r"digests\.json: not"):
        read_scores(run, "dev")


def test_a_flipped_bit_in_the_weights_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    save_weights(network(1.0), path)
    model = network(0.0)
    load_weights(model, path)
    assert torch.equal(model.weight, torch.ones(1, 2))
    content = bytearray(path.read_bytes())
    content[-3] ^= 1  # of a number: the file is valid, and holds another network
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"best\.safetensors: damaged: its tensors are not"):
        load_weights(network(0.0), path)


def test_out_of_fold_scores_are_tied_to_the_weights_of_each_fold(tmp_path: Path) -> None:
    weights = [tmp_path / f"fold-{number}" / "best.safetensors" for number in (1, 2)]
    for number, path in enumerate(weights):
        path.parent.mkdir()
        save_weights(network(float(number)), path)
    final = tmp_path / "final"
    write_scores(final, "out_of_fold", scores(0.25, 0.5), weights=weights)
    save_weights(network(5.0), final / "best.safetensors")  # trained after its folds
    assert has_scores(final, "out_of_fold")
    save_weights(network(7.0), weights[1])
    message = (
        r"out_of_fold\.csv: not the scores of \.\./fold-2/best\.safetensors, which was written at another"
    )
    with pytest.raises(DataError, match=message) as caught:
        read_scores(final, "out_of_fold")
    assert str(caught.value).endswith(f"`fas train --resume {tmp_path}`")
    weights[1].unlink()
    assert has_scores(final, "out_of_fold")
