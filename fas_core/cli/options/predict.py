"""Flags of commands that score images: which inputs are read, and how."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from fas_core.cli.options.faces import (
    detector_option,
    external_model_option,
    fixed_threshold_option,
    margin_option,
)
from fas_core.errors import ConfigError

Command = Callable[..., Any]


def predict_options(command: Command) -> Command:
    """Give a command these flags, as one argument `options`."""

    @click.option("--detect", is_flag=True, help="Detect and crop the face first, as `fas data crop` does.")
    @click.option(
        "--faces",
        type=click.Choice(["largest", "all"]),
        default="largest",
        show_default=True,
        help="Detected faces to score.",
    )
    @detector_option
    @margin_option
    @fixed_threshold_option
    @external_model_option
    @click.option("--every", type=click.IntRange(1), default=1, help="Score each n-th frame of videos.")
    @click.option(
        "--frames",
        type=click.IntRange(1),
        help="Largest number of frames scored of each video or camera; of a camera, 1 by default.",
    )
    @click.option("--threads", type=click.IntRange(1), help="CPU threads; by default one per core.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        detect: bool,
        faces: str,
        detector: Path | None,
        margin: float,
        threshold: str | None,
        external: Path | None,
        every: int,
        frames: int | None,
        threads: int | None,
        **kwargs: Any,
    ) -> Any:
        from fas_core.inference.predict_inputs import PredictOptions

        if not detect and (faces != "largest" or detector is not None):
            raise ConfigError("--faces and --detector say how faces are found: give --detect too")
        options = PredictOptions(
            detect, faces == "all", detector, margin, threshold, external, every, frames, threads
        )
        return command(*args, options=options, **kwargs)

    return wrapped
