"""The models of the reported runs, to show what they look at in misclassified samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from fas_core.errors import FasError, require
from fas_core.runs.run import Run
from fas_core.runtime.explain import Explainer
from fas_core.runtime.predictor import Predictor
from fas_plugins.commands.report.score_source import ScoreSource
from fas_plugins.commands.report.systems import EvaluatedSystem


@contextmanager
def open_explainers(
    sources: Sequence[ScoreSource], systems: Sequence[EvaluatedSystem]
) -> Iterator[Mapping[str, Explainer | str]]:
    """Load the models of runs that have photos and a threshold; torch uses one CPU thread in the block.

    Yields:
        `{name of the system: its explainer, or one sentence that says why there is none}`.
    """
    explainers = {
        system.name: _load_explainer(source.run, system.threshold)
        for source, system in zip(sources, systems, strict=True)
        if source.run is not None and system.threshold is not None and not isinstance(system.photos, str)
    }
    with ExitStack() as stack:
        if any(isinstance(explainer, Explainer) for explainer in explainers.values()):
            from fas_core.models.model import torch_threads

            stack.enter_context(torch_threads(1))  # faces are explained in parallel, each in one thread
        yield explainers


def _load_explainer(run: Run, threshold: float) -> Explainer | str:
    try:
        require("train", "torch", "safetensors")
        from fas_core.inference.run_model import RunModel

        model = RunModel(run)
    except FasError as error:
        return error.message
    return Explainer(Predictor(model, threshold=threshold, reject="none"), model.grad_cam)
