"""How far a training is."""

from __future__ import annotations

from attrs import define


@define
class Position:
    """Where training stands: `batch` batches of `epoch` are done.

    Args:
        loss: sum of the epoch's batch losses so far.
        images: how many samples that were, over all processes.
        seconds: spent on the epoch so far.
        total_seconds: spent on the epochs before.
        best_eer: lowest dev EER so far.
    """

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    images: int = 0
    seconds: float = 0.0
    total_seconds: float = 0.0
    best_eer: float = 1.0

    def text(self) -> str:
        """Where that is, for people."""
        return f"epoch {self.epoch + 1}" + (f", after batch {self.batch}" if self.batch else "")
