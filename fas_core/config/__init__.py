"""The recipe: its attrs tree, loading and merging, strict structuring, and the JSON schema."""

from fas_core.config.components import BackboneChoice, DatasetChoice, FusionChoice, LossChoice, MetricChoice
from fas_core.config.recipe import Normalize, Recipe
from fas_core.records.model_input import Resize

__all__ = ["BackboneChoice", "DatasetChoice", "FusionChoice", "LossChoice", "MetricChoice"]
__all__ += ["Normalize", "Recipe", "Resize"]
