"""For the tests of plugins: contract checks, and what the tests of a component need besides.

A component that passes the checks works with everything else.
"""

from fas_core.testing.augmentations import check_augmentation
from fas_core.testing.checks import check_dataset, check_loss, check_metric
from fas_core.testing.components import find_component, open_dataset, read_options
from fas_core.testing.detectors import check_detector
from fas_core.testing.exporters import check_exporter
from fas_core.testing.installed import Checked, check_component
from fas_core.testing.networks import check_backbone, check_fusion
from fas_core.testing.optimizers import check_optimizer
from fas_core.testing.recipes import check_recipe
from fas_core.testing.rules import RULES, ContractError
from fas_core.testing.runtimes import check_runtime
from fas_core.testing.schedules import check_schedule
from fas_core.testing.support import score_images, score_table, tiny_model, verify_on
from fas_core.testing.trackers import check_tracker

__all__ = [
    "RULES",
    "Checked",
    "ContractError",
    "check_augmentation",
    "check_backbone",
    "check_component",
    "check_dataset",
    "check_detector",
    "check_exporter",
    "check_fusion",
    "check_loss",
    "check_metric",
    "check_optimizer",
    "check_recipe",
    "check_runtime",
    "check_schedule",
    "check_tracker",
    "find_component",
    "open_dataset",
    "read_options",
    "score_images",
    "score_table",
    "tiny_model",
    "verify_on",
]
