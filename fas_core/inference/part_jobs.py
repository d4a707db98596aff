"""What is done to each part of a large job: samples in, a table out, such as one of scores or of verdicts."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from attrs import asdict, evolve, frozen

from fas_core import __version__
from fas_core.data.remote_files import reading_threads
from fas_core.digests import hash_file
from fas_core.errors import ModelError
from fas_core.inference.loaded_model import load_model
from fas_core.inference.predict_inputs import PredictOptions, open_predictor
from fas_core.inference.score_samples import score_samples
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.runtime.calibration_file import calibration_file, hash_model
from fas_core.runtime.inputs import sample_inputs
from fas_core.runtime.predict import PredictionPipeline
from fas_core.runtime.prediction import COLUMNS, FaceResult

NUMBERS = ("score", "threshold", "novelty")
"""Of the columns of results; the others are texts."""

PartFunction = Callable[[SampleTable], pa.Table]


class PartJob(Protocol):
    """A job on samples that can be done part by part, pickled to the processes that do it."""

    @property
    def name(self) -> str:
        """What the job is done with, for messages, such as the model's path."""
        ...

    def versions(self) -> tuple[str, str]:
        """Return a digest of the model and the version of fas, which are to be the same on every machine.

        Raises:
            FasError: there is no such model here.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Return for JSON what the result depends on, besides the versions and the samples."""
        ...

    def open(self) -> PartFunction:
        """Load the model, for one thread, and return what makes a part's table of its samples."""
        ...


@frozen
class EvaluationJob:
    """`fas eval` of an exported model: the columns of a ScoreTable. Options as of `load_model`.

    `only`: the modalities that the model is given; None for all.
    """

    model: Path
    external: Path | None = None
    detector: str | None = None
    only: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        return str(self.model)

    def versions(self) -> tuple[str, str]:
        return read_versions(self.model)

    def describe(self) -> dict[str, Any]:
        only = None if self.only is None else list(self.only)
        return {"job": "eval", "detector": self.detector, "only": only, "foreign": _hash(self.external)}

    def open(self) -> PartFunction:
        model = load_model(self.model, registry(), external=self.external, detector=self.detector, threads=1)

        def score(samples: SampleTable) -> pa.Table:
            return score_samples(
                model.scorer, samples, model_input=model.input, only=self.only, faces=model.faces, workers=0
            ).table

        return score


@frozen
class PredictionJob:
    """`fas predict` of an exported model: a row for each face, and for each photo without one."""

    model: Path
    options: PredictOptions

    @property
    def name(self) -> str:
        return str(self.model)

    def versions(self) -> tuple[str, str]:
        return read_versions(self.model)

    def describe(self) -> dict[str, Any]:
        options = asdict(evolve(self.options, external=None, threads=None))
        return {"job": "predict", **options, "foreign": _hash(self.options.external)}

    def open(self) -> PartFunction:
        predictor = open_predictor(self.model, self.options, threads=1)
        pipeline = PredictionPipeline(predictor, self.options.all_faces)

        def score(samples: SampleTable) -> pa.Table:
            results = pipeline.run(sample_inputs(samples), reading_threads(samples, 1))
            return to_table([row for _, rows in results for row in rows])

        return score


def read_versions(model: Path) -> tuple[str, str]:
    """Return the digest of a model with its calibration, and the version of fas.

    Raises:
        ModelError: there is no such model here.
    """
    if not model.exists():
        raise ModelError(f"{model}: no such model on {socket.gethostname()}")
    calibration = calibration_file(model)
    texts = hash_model(model), hash_file(calibration) if calibration.is_file() else ""
    return hashlib.sha256("".join(texts).encode()).hexdigest(), __version__


def to_table(rows: Iterable[FaceResult]) -> pa.Table:
    """Return results as a table of the columns `COLUMNS`."""
    schema = pa.schema([(name, pa.float64() if name in NUMBERS else pa.string()) for name in COLUMNS])
    return pa.Table.from_pylist([row.to_row() for row in rows], schema)


def _hash(path: Path | None) -> str | None:
    return None if path is None else hash_file(path)
