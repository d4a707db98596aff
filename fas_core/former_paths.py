"""Dotted paths of fas 0.1 that modules had before they moved: importing one still works, and warns.

They go with the next release. `CHANGELOG.md` lists them for people.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGE = "fas_core."
PACKAGES = frozenset({"engine"})
"""Former packages that are no module any more, only parents of some."""

SAME_NAME = (
    ("engine", "inference", ("run_model",)),
    ("engine", "models", ("checkpoint", "grad_cam", "matching", "published")),
    ("engine", "runs", ("run",)),
    ("engine", "training", ("average", "interrupt", "job", "optim")),
    ("report", "evaluation", ("bootstrap", "comparison", "metrics", "result", "tables")),
    ("scorefiles", "scores.files", ("columns", "delimited", "numbers", "raw", "read")),
)
"""Former package, package now, modules."""

RENAMED = (
    ("data", "data", {"capture": "video", "dimensions": "image_size", "headers": "image_size"}),
    ("data", "data", {"lists": "text_lists", "mixing": "augment", "naming": "text_lists"}),
    ("data", "data", {"pooled": "open", "source": "open"}),
    ("engine", "inference", {"across": "cross_dataset", "scoring": "score_split", "videos": "loaded_model"}),
    ("engine", "inference", {"candidate": "loaded_model", "evaluate": "score_samples"}),
    ("engine", "models", {"transfer": "pretrained"}),
    ("engine", "runs", {"fold_set": "folds", "protocol_set": "protocols", "run_set": "group"}),
    ("engine", "training", {"devices": "device", "memory": "device", "position": "progress"}),
    ("engine", "training", {"train": "trainer", "train_folds": "cross_validation", "train_set": "protocols"}),
    ("report", "evaluation", {"folds": "cross_validation", "histogram": "text_histogram"}),
    ("report", "evaluation", {"spread": "protocols"}),
    ("runtime", "runtime", {"foreign": "external_model", "heat": "heatmap"}),
    ("runtime", "runtime", {"occlusion": "explain", "scoring": "predict"}),
    ("scorefiles", "scores.files", {"names": "column_names", "stated": "columns", "words": "labels"}),
)
"""Former package, package now, `{former module: module now}`."""

MOVED = {
    "aggregate": "scores.videos",
    "data.samples": "records.samples",
    "engine.verify": "export.verify",
    "model": "models.model",
    "plugins": "registry",
    "ranked": "scores.ranked",
    "rates": "scores.rates",
    "recipes": "config.load",
    "report": "evaluation",
    "schema": "config.schema",
    "scorefiles": "scores.files",
    "structure": "config.structure",
    "thresholds": "scores.thresholds",
    **{f"{former}.{name}": f"{now}.{name}" for former, now, names in SAME_NAME for name in names},
    **{f"{former}.{old}": f"{now}.{new}" for former, now, names in RENAMED for old, new in names.items()},
}
"""Former path below `fas_core` -> path now."""


class _FormerModules(MetaPathFinder, Loader):
    """Finds the former paths, and puts the module at the new path in the place of the former one."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        name = fullname.removeprefix(PACKAGE)
        if name == fullname or (name not in MOVED and name not in PACKAGES):
            return None
        return ModuleSpec(fullname, self, is_package=name in PACKAGES)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix(PACKAGE)
        if name in PACKAGES:
            module.__path__ = []
            return
        target = PACKAGE + MOVED[name]
        warnings.warn(f"{module.__name__} is now {target}", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = import_module(target)


def install() -> None:
    """Let imports of former paths succeed, once a process."""
    if not any(isinstance(finder, _FormerModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, _FormerModules())  # before the path finder, which would load a module twice
