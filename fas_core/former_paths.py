"""Dotted paths of fas 0.1 that modules had before they moved: importing one still works, and warns.

They go with the next release. `CHANGELOG.md` lists them for people.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGE = "fas_core."
PACKAGES = frozenset({"engine"})
"""Former packages that are no module any more, only parents of some."""

MOVED = {
    "aggregate": "scores.videos",
    "data.capture": "data.video",
    "data.dimensions": "data.image_size",
    "data.headers": "data.image_size",
    "data.lists": "data.text_lists",
    "data.mixing": "data.augment",
    "data.naming": "data.modality_names",
    "data.pooled": "data.train_on_dev",
    "data.samples": "records.samples",
    "data.source": "data.open",
    "engine.across": "inference.cross_dataset",
    "engine.average": "training.optim",
    "engine.candidate": "inference.loaded_model",
    "engine.checkpoint": "models.checkpoint",
    "engine.devices": "training.process",
    "engine.evaluate": "inference.score_samples",
    "engine.fold_set": "runs.groups",
    "engine.grad_cam": "models.grad_cam",
    "engine.interrupt": "training.process",
    "engine.job": "training.job",
    "engine.matching": "models.matching",
    "engine.memory": "training.process",
    "engine.optim": "training.optim",
    "engine.position": "training.progress",
    "engine.protocol_set": "runs.groups",
    "engine.published": "models.published",
    "engine.run": "runs.run",
    "engine.run_model": "inference.run_model",
    "engine.run_set": "runs.groups",
    "engine.scoring": "inference.score_split",
    "engine.train": "training.trainer",
    "engine.train_folds": "training.cross_validation",
    "engine.train_set": "training.protocols",
    "engine.transfer": "models.pretrained",
    "engine.verify": "export.verify",
    "engine.videos": "inference.loaded_model",
    "model": "models.model",
    "plugins": "registry",
    "ranked": "scores.ranked",
    "rates": "scores.rates",
    "recipes": "config.load",
    "report": "evaluation",
    "report.bootstrap": "evaluation.bootstrap",
    "report.comparison": "evaluation.comparison",
    "report.curves": "evaluation.curves",
    "report.folds": "evaluation.cross_validation",
    "report.histogram": "evaluation.text_histogram",
    "report.metrics": "evaluation.metrics",
    "report.result": "evaluation.result",
    "report.spread": "evaluation.protocols",
    "report.tables": "evaluation.tables",
    "runtime.foreign": "runtime.external_model",
    "runtime.heat": "runtime.pictures",
    "runtime.occlusion": "runtime.explain",
    "runtime.scoring": "runtime.predict",
    "schema": "config.schema",
    "scorefiles": "scores.files",
    "scorefiles.columns": "scores.files.columns",
    "scorefiles.delimited": "scores.files.delimited",
    "scorefiles.names": "scores.files.column_names",
    "scorefiles.numbers": "scores.files.numbers",
    "scorefiles.raw": "scores.files.raw",
    "scorefiles.read": "scores.files.read",
    "scorefiles.stated": "scores.files.stated",
    "scorefiles.words": "scores.files.labels",
    "structure": "config.structure",
    "thresholds": "scores.thresholds",
}
"""Former path below `fas_core` -> path now."""


class _FormerModule(Loader):
    """Puts the module at its new path in the place of the former one."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix(PACKAGE)
        if name in PACKAGES:
            module.__path__ = []
            return
        target = PACKAGE + MOVED[name]
        warnings.warn(f"{module.__name__} is now {target}", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = import_module(target)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = fullname.removeprefix(PACKAGE)
        if name == fullname or (name not in MOVED and name not in PACKAGES):
            return None
        return ModuleSpec(fullname, _FormerModule(), is_package=name in PACKAGES)


def install() -> None:
    """Let imports of former paths succeed, once a process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # before the path finder, which would load a module twice
