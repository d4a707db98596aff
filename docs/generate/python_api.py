"""The page of the Python API: where mkdocstrings is to write which docstring."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import fas_core
from fas_core.component import Component

INTRODUCTION = """# Python API

What `fas_core` exports, from the docstrings. [The public API](../api.md) says what is promised of it; [in
a notebook](../notebooks.md) shows its use.
"""

GROUPS: Mapping[str, Sequence[str]] = {
    "Train, evaluate, export": ("train", "evaluate", "export", "load_recipe", "Result", "Run", "Recipe"),
    "Use a model": ("Predictor", "ModelFile", "Card", "Threshold", "fit_threshold"),
    "Models": ("build_model", "Model", "Outputs", "Batch", "BranchSize", "Hyperparameters"),
    "Data": (
        "SampleTable",
        "ScoreTable",
        "ModelInput",
        "Resize",
        "ScaledCrop",
        "CropRegion",
        "DetectedFace",
    ),
    "Exports and submissions": ("Exported", "Verification", "Submission", "SubmissionPart"),
    "Errors": ("FasError", "ConfigError", "DataError", "DeviceError", "ModelError", "PluginError"),
    "Writing plugins": ("Component", "NoOptions", "FasDeprecationWarning"),
}
VALUES = {"API_VERSION", "Stage", "__version__", "hookimpl"}
"""What is exported and has no docstring of its own; `docs/api.md` has them."""


def write_python_page() -> str:
    """Return the page, every exported class and function in a group."""
    descriptors = _list_descriptors()
    further = sorted(set(fas_core.__all__) - list_grouped() - VALUES - set(descriptors))
    groups = {**GROUPS, "Descriptors": descriptors, **({"Further names": further} if further else {})}
    texts = [INTRODUCTION]
    for title, names in groups.items():
        texts.append(f"## {title}\n")
        texts += [f"::: {_find_home(name)}\n" for name in names]
    return "\n".join(texts)


def list_grouped() -> set[str]:
    """Return the names of `GROUPS`."""
    return {name for names in GROUPS.values() for name in names}


def _list_descriptors() -> list[str]:
    """Return the names of the descriptors' classes; they are imported with `fas_core` itself."""
    light = {name: vars(fas_core).get(name) for name in set(fas_core.__all__) - list_grouped()}
    classes = {name: item for name, item in light.items() if isinstance(item, type)}
    return sorted(name for name, item in classes.items() if issubclass(item, Component))


def _find_home(name: str) -> str:
    """Return the module and name by which an exported object is found, without importing what it needs."""
    if name in fas_core.__all__ and name in vars(fas_core):
        item = vars(fas_core)[name]
        module = inspect.getmodule(item)
        assert module is not None
        return f"{module.__name__}.{name}"
    home = next(module for module, names in fas_core._LAZY.items() if name in names)
    return f"fas_core.{home}.{name}"
