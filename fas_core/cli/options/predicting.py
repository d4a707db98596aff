"""The flags that say how inputs are found and scored, and the scoring itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from attrs import frozen

from fas_core.console import console
from fas_core.errors import ConfigError, require

if TYPE_CHECKING:
    from fas_core.inference.run_model import RunModel
    from fas_core.runtime.heatmap import ExplanationWriter
    from fas_core.runtime.predictor import Predictor
    from fas_core.runtime.results import FaceResult
    from fas_core.scores.thresholds import Threshold

Command = Callable[..., Any]


@frozen
class PredictOptions:
    """How inputs are found and scored: the flags of `predict_options`, by their names."""

    detect: bool
    faces: str
    detector: Path | None
    margin: float
    threshold: str | None
    foreign: Path | None
    every: int
    frames: int | None
    threads: int | None


@frozen
class PictureOptions:
    """The pictures that are written beside the scores.

    Args:
        annotated: folder of copies with box, score and verdict drawn; None for none.
        explained: folder of pictures of what the model looks at; None for none.
        square: that covers, as a fraction of the face's side; None for the usual one.
    """

    annotated: Path | None = None
    explained: Path | None = None
    square: float | None = None


@frozen(eq=False)
class Verdicts:
    """What was scored.

    Args:
        rows: one of each face, and of each input without one.
        threshold: what they were judged by.
        grad_cam: whether the pictures could have it.
    """

    rows: Sequence[FaceResult]
    threshold: Threshold
    grad_cam: bool


def predict_options(command: Command) -> Command:
    """Give a command these flags, as one argument `asked`."""

    @click.option(
        "--detect", is_flag=True, help="Find the face and cut it out first, as `fas data crop` does."
    )
    @click.option(
        "--faces",
        type=click.Choice(["largest", "all"]),
        default="largest",
        show_default=True,
        help="Which of the faces that are found.",
    )
    @click.option(
        "--detector",
        type=click.Path(path_type=Path),
        metavar="YUNET.onnx",
        help="Instead of OpenCV's cascade.",
    )
    @click.option(
        "--margin",
        type=click.FloatRange(0, 3),
        default=0.1,
        show_default=True,
        help="Added on each side of a face that was found, as a fraction of it.",
    )
    @click.option("--threshold", metavar="fixed:VALUE", help="Instead of the model's own.")
    @click.option(
        "--foreign",
        type=click.Path(path_type=Path),
        metavar="TERMS.yaml",
        help="What a model is that `fas export` did not write.",
    )
    @click.option("--every", type=click.IntRange(1), default=1, help="Score each n-th frame of videos.")
    @click.option(
        "--frames",
        type=click.IntRange(1),
        help="At most so many frames of each video or camera (of a camera: 1).",
    )
    @click.option("--threads", type=click.IntRange(1), help="CPU threads; one per core by default.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        detect: bool,
        faces: str,
        detector: Path | None,
        margin: float,
        threshold: str | None,
        foreign: Path | None,
        every: int,
        frames: int | None,
        threads: int | None,
        **kwargs: Any,
    ) -> Any:
        if not detect and (faces != "largest" or detector is not None):
            raise ConfigError("--faces and --detector say how faces are found: give --detect too")
        asked = PredictOptions(detect, faces, detector, margin, threshold, foreign, every, frames, threads)
        return command(*args, asked=asked, **kwargs)

    return wrapped


def score_inputs(
    ctx: click.Context, model: Path, inputs: Sequence[str], asked: PredictOptions, shown: PictureOptions
) -> Verdicts:
    """Score what the inputs name with an exported model or a run.

    Raises:
        FasError: the model or a folder cannot be read, or a picture cannot be written.
    """
    from fas_core.data.faces import CropSettings
    from fas_core.data.parallel import cores
    from fas_core.data.text_lists import is_image
    from fas_core.runtime.annotate import check_output_paths
    from fas_core.runtime.external_model import ExternalModel
    from fas_core.runtime.inputs import InputFinder, count_samples, read_samples
    from fas_core.runtime.predict import PredictionPipeline
    from fas_core.runtime.predictor import Predictor
    from fas_core.scores.thresholds import fit_threshold

    cut = None if asked.threshold is None else fit_threshold(asked.threshold, None)
    workers = asked.threads or cores()
    single = len(inputs) == 1 and is_image(inputs[0])
    is_run = (model / "recipe.yaml").is_file()
    if is_run and asked.foreign is not None:
        raise ConfigError(f"--foreign says what somebody else's model is: {model} is a run")
    # Many shots are scored side by side, each by one thread.
    run = _run(ctx, model, workers if single else 1) if is_run else None
    predictor = Predictor(
        run or model,
        threads=workers if single else 1,
        threshold=cut.value if cut else None,
        external=None if asked.foreign is None else ExternalModel.read(asked.foreign),
    )
    found = list(InputFinder(predictor.card.modalities, asked.every, asked.frames).find(inputs))
    if shown.annotated is not None:
        check_output_paths(shown.annotated, found)
    if shown.explained is not None:
        check_output_paths(shown.explained, found, ".png")
    crops = CropSettings(asked.detector, asked.margin) if asked.detect else None
    scoring = PredictionPipeline(
        predictor, crops, asked.faces == "all", shown.annotated, _pictures(predictor, run, shown)
    )
    rows: list[FaceResult] = []
    with console.progress("scoring", count_samples(found)) as bar:
        for done, scored in scoring.run(read_samples(found), workers):
            rows += scored
            bar.advance(done)
    accepted = cut or predictor.card.threshold
    assert accepted is not None  # else there would be no predictor
    return Verdicts(rows, accepted, run is not None)


def _run(ctx: click.Context, path: Path, threads: int) -> RunModel:
    """The model of a run folder, by torch; so many threads compute each call."""
    require("train", "torch", "safetensors")
    from fas_core.inference.run_model import RunModel
    from fas_core.models.timing import torch_threads
    from fas_core.registry import registry
    from fas_core.runs.run import Run

    ctx.with_resource(torch_threads(threads))
    return RunModel(Run.open(path, registry()))


def _pictures(predictor: Predictor, run: RunModel | None, shown: PictureOptions) -> ExplanationWriter | None:
    """What writes the pictures of what the model looks at."""
    from fas_core.runtime.explain import SQUARE, Explainer
    from fas_core.runtime.heatmap import ExplanationWriter

    if shown.explained is None:
        return None
    grad_cam = None if run is None else run.grad_cam
    return ExplanationWriter(Explainer(predictor, grad_cam, shown.square or SQUARE), shown.explained)
