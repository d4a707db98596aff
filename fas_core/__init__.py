"""fas: train, judge, ship and run face anti-spoofing models; everything but the core is a plugin.

This page is what a plugin's `__init__` needs, and imports nothing heavy. Labels and scores mean the
same everywhere: 1 = live, a higher score is more live, accept when `score >= threshold`.
"""

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

__version__ = "0.1.0"

__all__ = [
    "Backbone",
    "Command",
    "Component",
    "ConfigError",
    "DataError",
    "Dataset",
    "Exporter",
    "FasError",
    "Fusion",
    "Loss",
    "Metric",
    "ModelError",
    "NoOptions",
    "PluginError",
    "__version__",
    "hookimpl",
]
