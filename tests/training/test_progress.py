"""How far a training has come, and the console's line of an epoch."""

from __future__ import annotations

import pytest

from fas_core.config.train import TrainConfig
from fas_core.training.progress import TrainingProgress, format_epoch


def test_means_and_speed_are_those_of_the_epoch_so_far() -> None:
    progress = TrainingProgress(epoch=1, batch=4, loss=2.0, images=128, seconds=8, total_seconds=100)
    assert progress.mean_loss == 0.5
    assert progress.images_per_second == 16
    assert progress.to_record(0.01) == {
        "epoch": 2,
        "loss": 0.5,
        "lr": 0.01,
        "seconds": 8,
        "images_per_second": 16,
    }


def test_before_the_first_batch_there_is_nothing_to_divide_by() -> None:
    assert TrainingProgress().mean_loss == 0
    assert TrainingProgress().images_per_second == 0


def test_the_next_epoch_keeps_the_best_eer_and_adds_up_the_time() -> None:
    progress = TrainingProgress(
        epoch=1, batch=4, loss=2.0, images=128, seconds=8, total_seconds=100, best_eer=0.1
    )
    assert progress.next_epoch() == TrainingProgress(epoch=2, total_seconds=108, best_eer=0.1)


@pytest.mark.parametrize(
    ("progress", "text"),
    [(TrainingProgress(), "epoch 1"), (TrainingProgress(epoch=2, batch=7), "epoch 3, after batch 7")],
)
def test_the_position_counts_from_one(progress: TrainingProgress, text: str) -> None:
    assert progress.describe() == text


def test_an_epoch_is_one_line() -> None:
    record = {"epoch": 2, "loss": 0.51234, "lr": 0.01, "seconds": 8, "images_per_second": 16.4}
    line = format_epoch(record, TrainConfig(epochs=9))
    for text in ("epoch 2/9", "loss 0.5123", "lr 0.01", "16/s"):
        assert text in line
    assert "dev" not in line


def test_an_epoch_with_dev_has_its_errors_and_whether_it_is_the_best() -> None:
    record = {"epoch": 2, "loss": 0.5, "lr": 0.01, "images_per_second": 16.4}
    record |= {"dev": {"acer": 0.125, "eer": 0.1, "auc": 0.9}, "best": True}
    assert format_epoch(record, TrainConfig()).endswith("dev EER 10.00 % ACER 12.50 %  best")
    assert "best" not in format_epoch(record, TrainConfig(select="last"))
    assert "best" not in format_epoch(record | {"best": False}, TrainConfig())


def test_dev_without_these_errors_is_not_named() -> None:
    record = {
        "epoch": 2,
        "loss": 0.5,
        "lr": 0.01,
        "images_per_second": 16.4,
        "dev": {"auc": 0.9},
        "best": True,
    }
    assert format_epoch(record, TrainConfig()) == "epoch 2/10  loss 0.5000  lr 0.01  16/s  best"


def test_the_line_of_an_epoch_fits_a_terminal() -> None:
    record = {"epoch": 99, "loss": 0.51234, "lr": 0.000123, "images_per_second": 187.4}
    record |= {"dev": {"acer": 0.125, "eer": 0.1}, "best": True}
    assert len(format_epoch(record, TrainConfig(epochs=150))) <= 80
