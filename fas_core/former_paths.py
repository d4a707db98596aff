"""Dotted paths of fas 0.1 that modules had before they moved: importing one still works, and warns.

They go with the next release. `CHANGELOG.md` lists them for people.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from fas_core.deprecation import warn_deprecated

PACKAGE = "fas_core."
PACKAGES = frozenset({"engine"})
"""Former packages that are no module any more, only parents of some."""

FORMER = {
    "config.load": "recipes",
    "config.schema": "schema",
    "config.structure": "structure",
    "data.augment": "data.mixing",
    "data.image_size": "data.dimensions data.headers",
    "data.open": "data.pooled data.source",
    "data.text_lists": "data.lists data.naming",
    "data.video": "data.capture",
    "evaluation": "report",
    "evaluation.bootstrap": "report.bootstrap",
    "evaluation.comparison": "report.comparison",
    "evaluation.metrics": "report.metrics",
    "evaluation.result": "report.result",
    "evaluation.spread": "report.folds report.spread",
    "evaluation.tables": "report.tables",
    "evaluation.text_histogram": "report.histogram",
    "exporting.verify": "engine.verify",
    "inference.cross_dataset": "engine.across",
    "inference.loaded_model": "engine.candidate engine.videos",
    "inference.run_model": "engine.run_model",
    "inference.score_samples": "engine.evaluate engine.scoring",
    "models.checkpoint": "engine.checkpoint engine.published",
    "models.grad_cam": "engine.grad_cam",
    "models.matching": "engine.matching",
    "models.model": "model",
    "models.pretrained": "engine.transfer",
    "records.samples": "data.samples",
    "registry": "plugins",
    "runs.groups": "engine.fold_set engine.protocol_set engine.run_set",
    "runs.run": "engine.run",
    "runtime.explain": "runtime.occlusion",
    "runtime.external_model": "runtime.foreign",
    "runtime.pictures": "runtime.annotate runtime.heat",
    "runtime.predict": "runtime.scoring",
    "scores.files": "scorefiles",
    "scores.files.columns": "scorefiles.columns scorefiles.names scorefiles.stated",
    "scores.files.labels": "scorefiles.numbers scorefiles.words",
    "scores.files.raw": "scorefiles.delimited scorefiles.raw",
    "scores.files.read": "scorefiles.read",
    "scores.ranked": "ranked",
    "scores.rates": "rates",
    "scores.thresholds": "thresholds",
    "scores.videos": "aggregate",
    "training.cross_validation": "engine.train_folds",
    "training.job": "engine.job",
    "training.optim": "engine.average engine.optim",
    "training.process": "engine.devices engine.interrupt engine.memory",
    "training.progress": "engine.position",
    "training.run_sets": "engine.train_set",
    "training.trainer": "engine.train",
}
"""Path below `fas_core` now -> the former ones."""

MOVED = {former: now for now, names in FORMER.items() for former in names.split()}
"""Former path below `fas_core` -> path now."""


class _FormerModules:
    """Finds the former paths, and puts the module at the new path in the place of the former one.

    A `MetaPathFinder` and `Loader` of `importlib.abc`, which is slow to import.
    """

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        name = fullname.removeprefix(PACKAGE)
        if name == fullname or (name not in MOVED and name not in PACKAGES):
            return None
        loader: Any = self
        return ModuleSpec(fullname, loader, is_package=name in PACKAGES)

    def create_module(self, _: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix(PACKAGE)
        if name in PACKAGES:
            module.__path__ = []
            return
        target = PACKAGE + MOVED[name]
        warn_deprecated(f"module {module.__name__}", target)
        sys.modules[module.__name__] = import_module(target)


def install() -> None:
    """Let imports of former paths succeed, once a process."""
    if not any(isinstance(finder, _FormerModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, _FormerModules())  # before the path finder, which would load a module twice
