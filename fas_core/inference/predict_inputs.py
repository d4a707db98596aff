"""Verdicts on what a user names: images, folders, videos, cameras; by an exported model or by a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fas_core.console import console
from fas_core.data.parallel import cores
from fas_core.data.remote_files import CONNECTIONS
from fas_core.data.text_lists import is_image
from fas_core.errors import ConfigError, require
from fas_core.records.novelty import NoveltyLimit
from fas_core.registry import registry
from fas_core.runs import files
from fas_core.runtime.devices import CPU, check_run_device
from fas_core.runtime.face_selection import stated_crops
from fas_core.runtime.inputs import InputFinder, count_samples, read_samples, reads_urls
from fas_core.runtime.model_notes import describe_unseen
from fas_core.runtime.predict import PredictionPipeline
from fas_core.runtime.prediction import FaceResult
from fas_core.runtime.predictor import Predictor
from fas_core.scores.thresholds import Threshold, fit_threshold

if TYPE_CHECKING:
    from fas_core.inference.run_model import RunModel
    from fas_core.runtime.inputs import Input
    from fas_core.runtime.pictures import ExplanationWriter
    from fas_core.runtime.video_verdicts import Aggregation


@frozen
class PredictOptions:
    """How inputs are read and scored.

    Args:
        detect: True to crop every photo to its face; False to take all images as they are; None to take an
            image as it is only if its face fills it.
        all_faces: whether every detected face is scored; else the largest.
        detector: name or YuNet model file; None for the best detector at hand.
        margin: added on each side of a detected face, as a fraction of its size; None for the model's.
        align: whether crops are aligned by the face's landmarks.
        threshold: `fixed:VALUE` in place of the model's own; None for that.
        reject: `LOW:HIGH` or `none` in place of the model's own uncertain scores; None for those.
        external: description of a model that `fas export` did not write.
        every: score each n-th frame of videos.
        frames: at most so many frames of each video or camera; None for all (of a camera, 1).
        threads: CPU threads; None for one per core.
        device: where an exported model runs, or several names in the order to try; None for the CPU.
        detect_every: faces are detected in each so many-th scored frame of a video, and followed between.
    """

    detect: bool | None = None
    all_faces: bool = False
    detector: str | None = None
    margin: float | None = None
    align: bool = False
    threshold: str | None = None
    reject: str | None = None
    external: Path | None = None
    every: int = 1
    frames: int | None = None
    threads: int | None = None
    device: str | None = None
    detect_every: int = 1


@frozen
class PictureOptions:
    """The pictures that are written beside the scores.

    Args:
        annotated: folder of copies with box, score and verdict drawn; None for none.
        videos: whether the annotated copy of a video is a video; else a picture of each frame.
        explained: folder of pictures of what the model looks at; None for none.
        square: side of the covering square as a fraction of the face's; None for the usual one.
    """

    annotated: Path | None = None
    explained: Path | None = None
    square: float | None = None
    videos: bool = False


@frozen(eq=False)
class Verdicts:
    """The scored inputs.

    Args:
        rows: a result for each face, and for each input without a face; or a verdict for each video.
        grad_cam: whether pictures could have Grad-CAM.
        detector: name of the face detector; None where it searched no image.
        note: what a reader of the verdicts must know of the model; None for nothing.
        novelty: when a face is unlike the training data; None where the model does not tell.
        device: where the model ran.
        aggregate: how frames of videos became verdicts, e.g. `video:mean`; None where each has its own.
    """

    rows: Sequence[FaceResult]
    threshold: Threshold
    grad_cam: bool
    detector: str | None = None
    note: str | None = None
    novelty: NoveltyLimit | None = None
    device: str = CPU
    aggregate: str | None = None


def predict_inputs(
    model: Path,
    inputs: Sequence[str],
    options: PredictOptions,
    pictures: PictureOptions,
    aggregate: str | None = None,
) -> Verdicts:
    """Score what the inputs name with an exported model or a run.

    `aggregate` is `video` or `track`, for one verdict of each, also with `:VOTE`; None for the frames.

    Raises:
        FasError: the model or a folder cannot be read, or a picture cannot be written.
    """
    aggregation = None if aggregate is None else _parse_aggregate(aggregate, options)
    workers, is_single = options.threads or cores(), len(inputs) == 1 and is_image(inputs[0])
    threads = workers if is_single else 1  # several samples are scored side by side
    with ExitStack() as stack:
        is_run = (model / files.RECIPE).is_file()
        run = _load_run(stack, model, threads, options) if is_run else None
        predictor = open_predictor(model, options, threads, run)
        samples = list(InputFinder(predictor.card.input.photos, options.every, options.frames).find(inputs))
        writer = _prepare_pictures(predictor, run, pictures, samples)
        pipeline = PredictionPipeline(
            predictor, options.all_faces, pictures.annotated, writer, options.detect_every, pictures.videos
        )
        rows: list[FaceResult] = []
        with console.progress("scoring", count_samples(samples), "samples") as bar:
            readers = max(workers, CONNECTIONS) if reads_urls(samples) else workers
            for count, results in pipeline.run(read_samples(samples), 1 if is_single else readers):
                rows += results
                bar.advance(count)
    detector = next((row.detector for row in rows if row.detector is not None), None)
    scores = [row.prediction.score for row in rows if row.prediction is not None]
    notes = (predictor.note, None if options.threshold else describe_unseen(predictor.card, scores))
    note = "; ".join(filter(None, notes)) or None
    novelty, device = predictor.card.novelty, predictor.model.device
    verdicts = Verdicts(rows, predictor.rule, is_run, detector, note, novelty, device)
    if aggregation is None:
        return verdicts
    return evolve(verdicts, rows=aggregation.apply(rows, predictor.rule), aggregate=str(aggregation))


def _parse_aggregate(text: str, options: PredictOptions) -> Aggregation:
    from fas_core.runtime.video_verdicts import Aggregation  # with pyarrow, which photos do without

    aggregation = Aggregation.parse(text)
    if aggregation.unit == "track" and options.detect is False:
        raise ConfigError(f"--aggregate {text} is about detected faces: leave --no-detect out")
    return aggregation


def open_predictor(
    model: Path, options: PredictOptions, threads: int, run: RunModel | None = None
) -> Predictor:
    """Open the predictor of an exported model, or of a loaded run, each call of so many threads.

    Raises:
        FasError: the model cannot be read, or an option does not suit it.
    """
    external = None
    if options.external is not None:
        from fas_core.runtime.external_model import ExternalModel

        external = ExternalModel.read(options.external)
    crops = stated_crops(model, external)
    return Predictor(
        run or model,
        threads=threads,
        threshold=None if options.threshold is None else fit_threshold(options.threshold, None),
        reject=options.reject,
        external=external,
        detect=options.detect,
        device=options.device,
        crops=crops.replace(detector=options.detector, margin=options.margin, align=options.align),
    )


def _load_run(stack: ExitStack, path: Path, threads: int, options: PredictOptions) -> RunModel:
    """Load a run's model by torch, so many threads of which compute each call."""
    if options.external is not None:
        raise ConfigError(f"--foreign describes a model that is not ours: {path} is a run")
    check_run_device(path, options.device)
    require("train", "torch", "safetensors")
    from fas_core.inference.run_model import RunModel
    from fas_core.models.model import torch_threads
    from fas_core.runs.run import Run

    stack.enter_context(torch_threads(threads))
    return RunModel(Run.open(path, registry()))


def _prepare_pictures(
    predictor: Predictor, run: RunModel | None, pictures: PictureOptions, inputs: Sequence[Input]
) -> ExplanationWriter | None:
    """Check where pictures are to be written, and return what explains; None where nothing is explained."""
    if pictures.annotated is None and pictures.explained is None:
        return None
    from fas_core.runtime.explain import SQUARE, Explainer
    from fas_core.runtime.pictures import ExplanationWriter, check_output_paths

    if pictures.annotated is not None:
        check_output_paths(pictures.annotated, inputs, videos=pictures.videos)
    if pictures.explained is None:
        return None
    check_output_paths(pictures.explained, inputs, ".png")
    grad_cam = None if run is None else run.grad_cam
    return ExplanationWriter(Explainer(predictor, grad_cam, pictures.square or SQUARE), pictures.explained)
