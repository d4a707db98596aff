"""Options of the trackers."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen
from attrs import validators as v

Service = Literal[
    "aim", "clearml", "comet_ml", "dvclive", "mlflow", "swanlab", "tensorboard", "trackio", "wandb"
]


@frozen
class AccelerateOptions:
    """Options of the tracker `accelerate`.

    Args:
        log_with: what records the run; each is a package of its own.
        project: what the run is filed under there.
        settings: further arguments of its start, e.g. `{mode: offline}` of wandb.
    """

    log_with: Service = "tensorboard"
    project: str = field(default="fas", validator=v.min_len(1))
    settings: dict[str, Any] = field(factory=dict)
