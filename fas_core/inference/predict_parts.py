"""Verdicts on a manifest of any length, in Parquet parts, by the workers of an engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from fas_core.errors import ConfigError
from fas_core.inference.part_jobs import PredictionJob
from fas_core.inference.parts import Engine, FinishedParts, PartOptions, refuse_run, run_parts
from fas_core.inference.predict_inputs import PredictOptions, open_predictor
from fas_core.records.samples import concat
from fas_core.runtime.inputs import MANIFEST_SUFFIXES, read_manifest
from fas_core.runtime.prediction import VERDICTS
from fas_core.scores.thresholds import Threshold
from fas_core.user_paths import expand_user

NOT_SCORED = "not scored"


@frozen(eq=False)
class PartVerdicts:
    """The verdicts on a manifest.

    Args:
        finished: where they are.
        counts: `{verdict: rows}`, and `not scored`.
        threshold: that of the verdicts.
        note: what a reader of the verdicts must know of the model; None for nothing.
    """

    finished: FinishedParts
    counts: dict[str, int]
    threshold: Threshold
    note: str | None


def predict_parts(
    model: Path, inputs: Sequence[str], options: PredictOptions, where: PartOptions, engine: Engine
) -> PartVerdicts:
    """Score a manifest with an exported model, part by part.

    Raises:
        ConfigError: the input is not one manifest, or an option is about videos.
        FasError: the model or the manifest cannot be read; or as `run_parts`.
    """
    if len(inputs) != 1 or Path(inputs[0]).suffix.lower() not in MANIFEST_SUFFIXES:
        raise ConfigError(f"--engine takes one manifest ({', '.join(MANIFEST_SUFFIXES)}) as INPUT")
    if options.every != 1 or options.frames is not None:
        raise ConfigError("--every and --frames are about videos, which a manifest has not: leave them out")
    if options.threads is not None:
        raise ConfigError("--threads is for one process: give --predictors with --engine")
    refuse_run(model)
    job = PredictionJob(model, options)
    predictor = open_predictor(job.model, options, threads=1)
    manifest = expand_user(inputs[0])
    samples = concat(list(read_manifest(manifest, predictor.card.input.photos)))
    finished = run_parts(job, samples, where, engine, "scoring")
    verdicts = Counter(finished.folder.read(["verdict"]).column("verdict").to_pylist())
    counts = {name: verdicts[name] for name in VERDICTS.values()} | {NOT_SCORED: verdicts[None]}
    return PartVerdicts(finished, counts, predictor.rule, predictor.note)
