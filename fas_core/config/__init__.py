"""The recipe: its attrs tree, loading and merging, strict structuring, and the JSON schema."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fas_core.config.components import (
        BackboneChoice,
        DatasetChoice,
        FusionChoice,
        LossChoice,
        MetricChoice,
    )
    from fas_core.config.recipe import Normalize, Recipe
    from fas_core.records.model_input import Resize

__all__ = ["BackboneChoice", "DatasetChoice", "FusionChoice", "LossChoice", "MetricChoice"]
__all__ += ["Normalize", "Recipe", "Resize"]

_LAZY = dict.fromkeys(("Normalize", "Recipe"), "config.recipe") | {"Resize": "records.model_input"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"fas_core.{_LAZY.get(name, 'config.components')}"), name)
