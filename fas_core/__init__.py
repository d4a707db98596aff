"""fas: train, evaluate, ship and run face anti-spoofing models; everything but the core is a plugin.

This page is what plugins and notebooks import. Descriptors and errors are light; whatever needs more is
imported when its name is first used. Labels and scores mean the same everywhere: 1 = live, a higher score is
more live, accept when `score >= threshold`.
"""

from typing import TYPE_CHECKING, Any

from fas_core import former_paths
from fas_core.descriptors import (
    Backbone,
    Command,
    Component,
    Dataset,
    Exporter,
    Fusion,
    Loss,
    Metric,
    NoOptions,
)
from fas_core.errors import ConfigError, DataError, FasError, ModelError, PluginError
from fas_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from fas_core.card import Card
    from fas_core.contracts import Submission, SubmissionPart
    from fas_core.models.build import build_model
    from fas_core.models.model import Model
    from fas_core.records.model_input import ModelInput
    from fas_core.records.outputs import Batch, BranchSize, Exported, Outputs, Verification
    from fas_core.records.samples import SampleTable
    from fas_core.registry import registry
    from fas_core.runtime.predictor import Predictor
    from fas_core.scores.table import ScoreTable
    from fas_core.scores.thresholds import Threshold, fit_threshold

__version__ = "0.1.0"

_LAZY = {
    "Batch": "fas_core.records.outputs",
    "BranchSize": "fas_core.records.outputs",
    "Card": "fas_core.card",
    "Exported": "fas_core.records.outputs",
    "Model": "fas_core.models.model",
    "ModelInput": "fas_core.records.model_input",
    "Outputs": "fas_core.records.outputs",
    "Predictor": "fas_core.runtime.predictor",
    "SampleTable": "fas_core.records.samples",
    "ScoreTable": "fas_core.scores.table",
    "Submission": "fas_core.contracts",
    "SubmissionPart": "fas_core.contracts",
    "Threshold": "fas_core.scores.thresholds",
    "Verification": "fas_core.records.outputs",
    "build_model": "fas_core.models.build",
    "fit_threshold": "fas_core.scores.thresholds",
    "registry": "fas_core.registry",
}
"""Names that are imported when they are first used, and their modules."""

__all__ = [
    "Backbone",
    "Batch",
    "BranchSize",
    "Card",
    "Command",
    "Component",
    "ConfigError",
    "DataError",
    "Dataset",
    "Exported",
    "Exporter",
    "FasError",
    "Fusion",
    "Loss",
    "Metric",
    "Model",
    "ModelError",
    "ModelInput",
    "NoOptions",
    "Outputs",
    "PluginError",
    "Predictor",
    "SampleTable",
    "ScoreTable",
    "Submission",
    "SubmissionPart",
    "Threshold",
    "Verification",
    "__version__",
    "build_model",
    "fit_threshold",
    "hookimpl",
    "registry",
]

former_paths.install()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
