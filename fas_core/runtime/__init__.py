"""Scoring with an exported model: onnxruntime (or OpenVINO), OpenCV and NumPy, never torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fas_core.runtime.model_file import ModelFile
from fas_core.runtime.prediction import Prediction
from fas_core.runtime.predictor import Predictor

if TYPE_CHECKING:
    from fas_core.runtime.external_model import ExternalModel

__all__ = ["ExternalModel", "ModelFile", "Prediction", "Predictor"]


def __getattr__(name: str) -> Any:
    if name == "ExternalModel":  # few models need one, and it takes a while to import
        from fas_core.runtime import external_model

        return external_model.ExternalModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
