"""The tracker `accelerate`: the figures of a run for the services that accelerate can log to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TypeVar

from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from fas_core import FasError, hookimpl
from fas_core.records.run_events import (
    EpochFinished,
    RunFinished,
    RunStarted,
    flatten_figures,
    flatten_values,
)
from fas_plugins.trackers.options import AccelerateOptions

NAME_SETTINGS = {"mlflow": "run_name", "swanlab": "experiment_name", "trackio": "name", "wandb": "name"}
"""The setting that names a run, of those services that have one."""

UNNAMEABLE = {"mlflow": re.compile(r"[^\w\-. :/]+")}
"""What names of figures and of a recipe's keys may not hold, of those services that refuse names."""

Value = TypeVar("Value")


class AccelerateTracker:
    """Logs the recipe, every epoch's figures and the final ones, as the service's own run.

    Raises:
        FasError: the package of the service is not installed.
    """

    def __init__(self, options: AccelerateOptions) -> None:
        if find_spec(options.log_with) is None:
            package = options.log_with.replace("_", "-")
            raise FasError(f"{options.log_with} is not installed: pip install {package}")
        self._options = options

    @hookimpl
    def fas_run_started(self, event: RunStarted) -> None:
        options, service = self._options, LOGGER_TYPE_TO_CLASS[self._options.log_with]
        settings = dict(options.settings)
        if (name := NAME_SETTINGS.get(options.log_with)) is not None:
            settings.setdefault(name, event.path.name)
        if service.requires_logging_directory:
            settings.setdefault("logging_dir", str(event.path))
        self._epochs = event.epochs
        self._tracker = service(options.project, **settings)
        self._tracker.start()
        self._tracker.store_init_configuration(self._rename(describe_recipe(event)))

    @hookimpl
    def fas_epoch_finished(self, event: EpochFinished) -> None:
        self._tracker.log(self._rename(event.figures), step=event.epoch)

    @hookimpl
    def fas_run_finished(self, event: RunFinished) -> None:
        metrics = {split: result["metrics"] for split, result in event.results.items()}
        self._tracker.log(self._rename(flatten_figures({"final": metrics})), step=self._epochs)
        self._tracker.finish()

    @hookimpl
    def fas_run_failed(self) -> None:
        self._tracker.finish()

    def _rename(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return values by names that the service takes: MLflow has `tpr_fpr_1e-2` for `tpr@fpr=1e-2`."""
        refused = UNNAMEABLE.get(self._options.log_with)
        return {name if refused is None else refused.sub("_", name): value for name, value in values.items()}


def describe_recipe(event: RunStarted) -> dict[str, bool | float | str]:
    """Return the recipe and the run's folder as flat values, lists and what is unset as text."""
    values = {"run": str(event.path), **flatten_values(event.recipe)}
    return {
        name: value if isinstance(value, bool | int | float) else str(value) for name, value in values.items()
    }
