"""Scoring an exported model: onnxruntime and NumPy, never torch."""

from __future__ import annotations

from fas_core.runtime.model_file import ModelFile

__all__ = ["ModelFile"]
