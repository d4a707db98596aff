"""Scoring with an exported model: onnxruntime (or OpenVINO), OpenCV and NumPy, never torch."""

from __future__ import annotations

from fas_core.runtime.external_model import ExternalModel
from fas_core.runtime.model_file import ModelFile
from fas_core.runtime.prediction import Prediction
from fas_core.runtime.predictor import Predictor

__all__ = ["ExternalModel", "ModelFile", "Prediction", "Predictor"]
