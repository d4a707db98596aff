"""fas: train, evaluate, ship and run face anti-spoofing models; everything but the core is a plugin.

This page is what plugins and notebooks import. Errors are here; everything else is imported when its name is
first used. Labels and scores mean the same everywhere: 1 = live, a higher score is more live, accept when
`score >= threshold`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fas_core import former_paths, library_settings
from fas_core.deprecation import FasDeprecationWarning
from fas_core.errors import ConfigError, DataError, DeviceError, FasError, ModelError, PluginError

if TYPE_CHECKING:
    from fas_core.api.evaluate import evaluate
    from fas_core.api.export import export
    from fas_core.api.recipes import load_recipe
    from fas_core.api.result import Result
    from fas_core.api.train import train
    from fas_core.card import Card
    from fas_core.component import Component, NoOptions
    from fas_core.config.recipe import Recipe
    from fas_core.descriptors import (
        Augmentation,
        Backbone,
        Dataset,
        Exporter,
        Fusion,
        Loss,
        Metric,
        Optimizer,
        Schedule,
        Tracker,
    )
    from fas_core.hook_markers import hookimpl
    from fas_core.models.build import build_model
    from fas_core.models.model import Model
    from fas_core.package_files import Catalogue, RecipeFile
    from fas_core.records.crop_region import CropRegion
    from fas_core.records.detected_face import DetectedFace
    from fas_core.records.hyperparameters import Hyperparameters
    from fas_core.records.model_input import ModelInput, Resize, ScaledCrop
    from fas_core.records.outputs import Batch, BranchSize, Exported, Outputs, Verification
    from fas_core.records.samples import SampleTable
    from fas_core.records.stage import Stage
    from fas_core.records.submission import Submission, SubmissionPart
    from fas_core.remembered_kinds import Command, Detector, Runtime
    from fas_core.runs.run import Run
    from fas_core.runtime.model_file import ModelFile
    from fas_core.runtime.predictor import Predictor
    from fas_core.scores.table import ScoreTable
    from fas_core.scores.thresholds import Threshold, fit_threshold

library_settings.configure()

__version__ = "0.1.0"

API_VERSION = "1.1"
"""Version of the public API, see docs/api.md; a plugin asks for one by `FAS_API` in its module."""

_LAZY = {
    "api.evaluate": ("evaluate",),
    "api.export": ("export",),
    "api.recipes": ("load_recipe",),
    "api.result": ("Result",),
    "api.train": ("train",),
    "card": ("Card",),
    "component": ("Component", "NoOptions"),
    "config.recipe": ("Recipe",),
    "descriptors": (
        *("Augmentation", "Backbone", "Dataset", "Exporter", "Fusion"),
        *("Loss", "Metric", "Optimizer", "Schedule", "Tracker"),
    ),
    "hook_markers": ("hookimpl",),
    "models.build": ("build_model",),
    "models.model": ("Model",),
    "package_files": ("Catalogue", "RecipeFile"),
    "records.crop_region": ("CropRegion",),
    "records.detected_face": ("DetectedFace",),
    "records.hyperparameters": ("Hyperparameters",),
    "records.model_input": ("ModelInput", "Resize", "ScaledCrop"),
    "records.outputs": ("Batch", "BranchSize", "Exported", "Outputs", "Verification"),
    "records.samples": ("SampleTable",),
    "records.stage": ("Stage",),
    "records.submission": ("Submission", "SubmissionPart"),
    "remembered_kinds": ("Command", "Detector", "Runtime"),
    "runs.run": ("Run",),
    "runtime.model_file": ("ModelFile",),
    "runtime.predictor": ("Predictor",),
    "scores.table": ("ScoreTable",),
    "scores.thresholds": ("Threshold", "fit_threshold"),
}
"""Modules that are imported when one of these names is first used."""

__all__ = [
    "Augmentation",
    "Backbone",
    "Catalogue",
    "Command",
    "Component",
    "Dataset",
    "Detector",
    "Exporter",
    "Fusion",
    "Loss",
    "Metric",
    "NoOptions",
    "Optimizer",
    "RecipeFile",
    "Runtime",
    "Schedule",
    "Tracker",
]
__all__ += ["ConfigError", "DataError", "DeviceError", "FasError", "ModelError", "PluginError"]
__all__ += ["__version__", "hookimpl"]
__all__ += ["API_VERSION", "CropRegion", "FasDeprecationWarning", "Hyperparameters"]
__all__ += ["Batch", "BranchSize", "Card", "DetectedFace", "Exported", "Model", "ModelFile"]
__all__ += ["ModelInput", "Outputs", "Predictor", "Resize", "SampleTable", "ScaledCrop", "ScoreTable"]
__all__ += ["Stage", "Submission", "SubmissionPart"]
__all__ += ["Threshold", "Verification", "build_model", "fit_threshold"]
__all__ += ["Recipe", "Result", "Run", "evaluate", "export", "load_recipe", "train"]

former_paths.install()


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(f"fas_core.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
