"""Scoring an exported model: onnxruntime and NumPy, never torch."""

from __future__ import annotations

from fas_core.runtime.predictor import Predictor

__all__ = ["Predictor"]
