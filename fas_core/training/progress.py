"""How far a training has come, as the training state stores it and as the console shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field
from attrs import validators as v

from fas_core.config.train import TrainConfig


@define
class TrainingProgress:
    """`batch` batches of `epoch` (from 0) are done.

    Args:
        loss: sum of the losses of the epoch's batches so far.
        images: number of samples in these batches, over all processes.
        seconds: time spent on the epoch so far.
        total_seconds: time spent on the epochs before.
        best_eer: lowest EER on dev so far, a fraction.
        evaluations_since_best: evaluations on dev since that EER was first reached.
    """

    epoch: int = field(default=0, validator=v.ge(0))
    batch: int = field(default=0, validator=v.ge(0))
    loss: float = 0.0
    images: int = field(default=0, validator=v.ge(0))
    seconds: float = 0.0
    total_seconds: float = 0.0
    best_eer: float = 1.0
    evaluations_since_best: int = field(default=0, validator=v.ge(0))

    @property
    def mean_loss(self) -> float:
        """Mean loss of the epoch's batches so far."""
        return self.loss / max(self.batch, 1)

    @property
    def images_per_second(self) -> float:
        """Speed in the epoch so far."""
        return self.images / max(self.seconds, 1e-9)

    def to_record(self, rate: float) -> dict[str, Any]:
        """Return the epoch's entries in `metrics.jsonl`, dev apart; `rate` is the learning rate."""
        return {
            "epoch": self.epoch + 1,
            "loss": self.mean_loss,
            "lr": rate,
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
        }

    def next_epoch(self) -> TrainingProgress:
        """Return the progress at the start of the next epoch."""
        total_seconds = self.total_seconds + self.seconds
        return TrainingProgress(
            self.epoch + 1,
            total_seconds=total_seconds,
            best_eer=self.best_eer,
            evaluations_since_best=self.evaluations_since_best,
        )

    def judge(self, eer: float) -> None:
        """Note the EER of an epoch on dev."""
        self.evaluations_since_best = 0 if eer < self.best_eer else self.evaluations_since_best + 1
        self.best_eer = min(eer, self.best_eer)

    def is_out_of_patience(self, config: TrainConfig) -> bool:
        """Return whether training is to end early, as the EER on dev is no longer getting lower."""
        return config.patience is not None and self.evaluations_since_best >= config.patience

    def describe(self) -> str:
        """Return the position for people, e.g. `epoch 3, after batch 120`."""
        return f"epoch {self.epoch + 1}" + (f", after batch {self.batch}" if self.batch else "")


def format_epoch(record: Mapping[str, Any], config: TrainConfig) -> str:
    """Return the console's line of a finished epoch, whose line of `metrics.jsonl` is `record`.

    It fits a terminal of 80 columns.
    """
    items = [f"epoch {record['epoch']}/{config.last_epoch}", f"loss {record['loss']:.4f}"]
    items += [f"lr {record['lr']:.2g}"] if "lr" in record else []  # a convex solver has none
    items.append(f"{record['images_per_second']:.0f}/s")
    if dev := record.get("dev"):
        errors = [f"{name.upper()} {100 * dev[name]:.2f} %" for name in ("eer", "acer") if name in dev]
        items += [f"dev {' '.join(errors)}"] if errors else []
        items += ["best"] if record["best"] and config.select == "best" else []
    if record.get("stopped_early"):
        items.append(f"stopped: no lower dev EER {config.patience} times in a row")
    return "  ".join(items)
