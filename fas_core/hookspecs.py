"""The plugin hooks: one for each kind of component, then those that are called for the events of a run.

A plugin is a module that implements some of them. A tracker is an object that implements some of the latter.

An entry point in the group `fas` announces it:

```toml
[project.entry-points.fas]
acme = "acme_fas"
```
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pluggy

from fas_core.deprecation import naming_in_warnings
from fas_core.descriptors import (
    Augmentation,
    Backbone,
    Dataset,
    Exporter,
    Fusion,
    Loss,
    Metric,
    Optimizer,
    Schedule,
    Tracker,
)
from fas_core.errors import PluginError
from fas_core.hook_markers import PROJECT, hookspec
from fas_core.package_files import Catalogue, RecipeFile
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted
from fas_core.remembered_kinds import Command, Detector, Runtime

EVENTS = (
    "fas_run_started",
    "fas_epoch_finished",
    "fas_checkpoint_written",
    "fas_run_finished",
    "fas_run_failed",
)
"""The hooks that are called for the events of a run, in the main process alone."""


def bind_hooks(plugin: object, name: str) -> pluggy.HookRelay:
    """Return the hooks of one module or object, to call them apart from all others.

    Args:
        plugin: it implements hooks.
        name: what to call it in messages, e.g. `acme_fas`.

    Raises:
        PluginError: it implements none.
        PluginValidationError: (of pluggy) it implements a hook that does not exist, or with other arguments.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(sys.modules[__name__])
    with naming_in_warnings(name):  # of a hook or an argument with `warn_on_impl`
        manager.register(plugin)
    manager.check_pending()
    if not manager.get_hookcallers(plugin):
        raise PluginError(f"{name} implements no hook: mark one with @fas_core.hookimpl")
    return manager.hook


@hookspec
def fas_backbones() -> Iterable[Backbone]:
    """Networks over one modality.

    >>> from fas_core import Backbone, hookimpl
    >>> @hookimpl
    ... def fas_backbones():
    ...     yield Backbone(name="tiny", summary="Three convolutions", target="acme_fas.tiny:Tiny")
    >>> next(fas_backbones()).name
    'tiny'
    """
    return ()


@hookspec
def fas_fusions() -> Iterable[Fusion]:
    """Modules that combine the modalities' branches into one decision.

    >>> from fas_core import Fusion, hookimpl
    >>> @hookimpl
    ... def fas_fusions():
    ...     yield Fusion(name="vote", summary="Mean", target="acme_fas.vote:Vote", takes="logits")
    >>> next(fas_fusions()).takes
    'logits'
    """
    return ()


@hookspec
def fas_datasets() -> Iterable[Dataset]:
    """Data sets on disk.

    >>> from fas_core import Dataset, hookimpl
    >>> @hookimpl
    ... def fas_datasets():
    ...     yield Dataset(name="lab", summary="Ours", target="acme_fas.lab:Lab", markers=("lab.json",))
    >>> next(fas_datasets()).markers
    ('lab.json',)
    """
    return ()


@hookspec
def fas_augmentations() -> Iterable[Augmentation]:
    """Changes of training images; a recipe lists them in order: `augment: [crop, flip, dim]`.

    >>> from fas_core import Augmentation, hookimpl
    >>> @hookimpl
    ... def fas_augmentations():
    ...     yield Augmentation(name="dim", summary="Less light", target="acme_fas.dim:Dim")
    >>> next(fas_augmentations()).step
    'faces'
    """
    return ()


@hookspec
def fas_losses() -> Iterable[Loss]:
    """Losses to train with. Their options are an attrs class, filled from the recipe.

    >>> import attrs
    >>> from fas_core import Loss, hookimpl
    >>> @attrs.frozen
    ... class HingeOptions:
    ...     margin: float = 1.0
    >>> @hookimpl
    ... def fas_losses():
    ...     yield Loss(name="hinge", summary="Hinge", target="acme_fas.hinge:Hinge", options=HingeOptions)
    >>> next(fas_losses()).options().margin
    1.0
    """
    return ()


@hookspec
def fas_optimizers() -> Iterable[Optimizer]:
    """How gradients change the weights; a recipe chooses one: `train.optimizer`.

    >>> import attrs
    >>> from fas_core import Optimizer, hookimpl
    >>> @attrs.frozen
    ... class LionOptions:
    ...     betas: tuple[float, float] = (0.9, 0.99)
    >>> @hookimpl
    ... def fas_optimizers():
    ...     yield Optimizer(name="lion", summary="Lion", target="acme_fas.lion:Lion", options=LionOptions)
    >>> next(fas_optimizers()).options().betas
    (0.9, 0.99)
    """
    return ()


@hookspec
def fas_schedules() -> Iterable[Schedule]:
    """How the learning rate changes in the course of a training; a recipe chooses one: `train.schedule`.

    >>> from fas_core import Schedule, hookimpl
    >>> @hookimpl
    ... def fas_schedules():
    ...     yield Schedule(name="linear", summary="Down to 0", target="acme_fas.linear:build_linear")
    >>> def build_linear(options, updates_per_epoch, train):
    ...     return lambda update: 1 - update / (train.epochs * updates_per_epoch)
    >>> next(fas_schedules()).kind
    'schedule'
    """
    return ()


@hookspec
def fas_metrics() -> Iterable[Metric]:
    """Metrics of a score table.

    >>> from fas_core import Metric, hookimpl
    >>> @hookimpl
    ... def fas_metrics():
    ...     yield Metric(name="gap", summary="Mean live minus mean attack", target="acme_fas.gap:gap")
    >>> next(fas_metrics()).kind
    'metric'
    """
    return ()


@hookspec
def fas_exporters() -> Iterable[Exporter]:
    """File formats for trained models.

    >>> from fas_core import Exporter, hookimpl
    >>> @hookimpl
    ... def fas_exporters():
    ...     yield Exporter(name="tflite", summary="TFLite", target="acme_fas.tflite:export", suffix=".tflite")
    >>> next(fas_exporters()).suffix
    '.tflite'
    """
    return ()


@hookspec
def fas_runtimes() -> Iterable[Runtime]:
    """What opens model files, so that `fas predict`, `eval` and `serve` run them.

    >>> from fas_core import Runtime, hookimpl
    >>> @hookimpl
    ... def fas_runtimes():
    ...     yield Runtime(name="tflite", summary="TFLite", target="acme_fas.run:Open", suffixes=(".tflite",))
    >>> next(fas_runtimes()).suffixes
    ('.tflite',)
    """
    return ()


@hookspec
def fas_detectors() -> Iterable[Detector]:
    """Face detectors.

    >>> from fas_core import Detector, hookimpl
    >>> @hookimpl
    ... def fas_detectors():
    ...     yield Detector(name="retina", summary="RetinaFace", target="acme_fas.retina:Retina")
    >>> next(fas_detectors()).landmarks
    True
    """
    return ()


@hookspec
def fas_commands() -> Iterable[Command]:
    """Further `fas` commands: `target` is a click command.

    >>> from fas_core import Command, hookimpl
    >>> @hookimpl
    ... def fas_commands():
    ...     yield Command(name="upload", summary="Send a run to the lab", target="acme_fas.upload:upload")
    >>> next(fas_commands()).name
    'upload'
    """
    return ()


@hookspec
def fas_public_models() -> Iterable[Catalogue]:
    """Lists of public models for `fas models get`: `target` is a YAML file of the package.

    >>> from fas_core import Catalogue, hookimpl
    >>> @hookimpl
    ... def fas_public_models():
    ...     yield Catalogue(name="acme", summary="Models of the lab", target="acme_fas:models.yaml")
    >>> next(fas_public_models()).target
    'acme_fas:models.yaml'
    """
    return ()


@hookspec
def fas_recipes() -> Iterable[RecipeFile]:
    """Recipes that are run by name: `target` is a YAML file of the package.

    >>> from fas_core import RecipeFile, hookimpl
    >>> @hookimpl
    ... def fas_recipes():
    ...     yield RecipeFile(name="acme", summary="The lab's setting", target="acme_fas:acme.yaml")
    >>> next(fas_recipes()).target
    'acme_fas:acme.yaml'
    """
    return ()


@hookspec
def fas_trackers() -> Iterable[Tracker]:
    """What records a run's figures elsewhere; a recipe chooses some: `train.trackers`.

    >>> from fas_core import Tracker, hookimpl
    >>> @hookimpl
    ... def fas_trackers():
    ...     yield Tracker(name="board", summary="The lab's board", target="acme_fas.board:Board")
    >>> next(fas_trackers()).target
    'acme_fas.board:Board'
    """
    return ()


@hookspec
def fas_run_started(event: RunStarted) -> None:
    """Training of a run begins, or goes on; its folder exists.

    >>> from fas_core import hookimpl
    >>> @hookimpl
    ... def fas_run_started(event):
    ...     print(f"{event.path.name}: {event.parameters} parameters on {event.device}")
    >>> from pathlib import Path
    >>> from fas_core.records.run_events import RunStarted
    >>> fas_run_started(RunStarted(Path("runs/a"), {}, "cpu", 1200, 1200, epochs=3))
    a: 1200 parameters on cpu
    """


@hookspec
def fas_epoch_finished(event: EpochFinished) -> None:
    """An epoch was trained and, if that was due, evaluated on dev; its weights and figures are saved.

    >>> from fas_core import hookimpl
    >>> @hookimpl
    ... def fas_epoch_finished(event):
    ...     print(event.epoch, event.figures)
    >>> from pathlib import Path
    >>> from fas_core.records.run_events import EpochFinished
    >>> fas_epoch_finished(EpochFinished(Path("runs/a"), 1, {"loss": 0.5, "dev": {"eer": 0.25}}))
    1 {'loss': 0.5, 'dev/eer': 0.25}
    """


@hookspec
def fas_checkpoint_written(event: CheckpointWritten) -> None:
    """The training state was written, from which an interrupted run goes on.

    >>> from fas_core import hookimpl
    >>> @hookimpl
    ... def fas_checkpoint_written(event):
    ...     print(event.file.name, event.epoch, event.batch)
    >>> from pathlib import Path
    >>> from fas_core.records.run_events import CheckpointWritten
    >>> fas_checkpoint_written(CheckpointWritten(Path("runs/a"), Path("runs/a/state.pt"), 2, 0))
    state.pt 2 0
    """


@hookspec
def fas_run_finished(event: RunFinished) -> None:
    """A run was trained to its last epoch and evaluated; all its files are written.

    >>> from fas_core import hookimpl
    >>> @hookimpl
    ... def fas_run_finished(event):
    ...     print({split: result["metrics"]["acer"] for split, result in event.results.items()})
    >>> from pathlib import Path
    >>> from fas_core.records.run_events import RunFinished
    >>> fas_run_finished(RunFinished(Path("runs/a"), {"test": {"metrics": {"acer": 0.1}}}, 0.5))
    {'test': 0.1}
    """


@hookspec
def fas_run_failed(event: RunFailed) -> None:
    """A run ended early: by an error, or since somebody stopped it.

    >>> from fas_core import hookimpl
    >>> @hookimpl
    ... def fas_run_failed(event):
    ...     print("stopped" if event.interrupted else event.error)
    >>> from pathlib import Path
    >>> from fas_core.records.run_events import RunFailed
    >>> fas_run_failed(RunFailed(Path("runs/a"), "the loss is nan", interrupted=False))
    the loss is nan
    """
