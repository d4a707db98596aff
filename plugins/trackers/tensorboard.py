"""The tracker `tensorboard`: the figures of a run in TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Mapping

from fas_core import NoOptions, hookimpl
from fas_core.config.load import to_yaml
from fas_core.errors import require
from fas_core.records.run_events import EpochFinished, RunFinished, RunStarted, flatten_figures

FOLDER = "tensorboard"


class TensorBoard:
    """Writes `tensorboard/` in the run's folder: `train/loss`, `dev/eer`, ... by epoch, and `final/test/...`.

    Figures of epochs that an interrupted run trains again replace the former ones.

    Raises:
        FasError: the extra `tensorboard` is not installed.
    """

    def __init__(self, options: NoOptions) -> None:
        require("tensorboard", "tensorboard")

    @hookimpl
    def fas_run_started(self, event: RunStarted) -> None:
        from torch.utils.tensorboard import SummaryWriter

        next_epoch = event.history[-1]["epoch"] + 1 if event.history else 1
        self._epochs = event.epochs
        self._writer = SummaryWriter(str(event.path / FOLDER), purge_step=next_epoch)
        self._writer.add_text("recipe", f"```yaml\n{to_yaml(dict(event.recipe))}```", 0)
        self._writer.flush()

    @hookimpl
    def fas_epoch_finished(self, event: EpochFinished) -> None:
        figures = {name if "/" in name else f"train/{name}": value for name, value in event.figures.items()}
        self._write(figures, event.epoch)

    @hookimpl
    def fas_run_finished(self, event: RunFinished) -> None:
        metrics = {split: result["metrics"] for split, result in event.results.items()}
        self._write(flatten_figures({"final": metrics}), self._epochs)
        self._writer.close()

    @hookimpl
    def fas_run_failed(self) -> None:
        self._writer.close()

    def _write(self, figures: Mapping[str, float], epoch: int) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()
