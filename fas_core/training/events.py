"""The event hooks of a run, called for the plugins that implement them and for the recipe's trackers.

Each plugin and each tracker is called by itself, so that what one of them raises costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pluggy
import torch
from attrs import define, field, frozen

from fas_core.config.components import TrackerChoice
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.errors import FasError
from fas_core.failures import FAILURES, describe_failure, format_traceback, top_package
from fas_core.hookspecs import bind_hooks
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted
from fas_core.registry import Registry

Event = RunStarted | EpochFinished | CheckpointWritten | RunFinished | RunFailed

HOOKS: dict[type[Event], str] = {
    RunStarted: "fas_run_started",
    EpochFinished: "fas_epoch_finished",
    CheckpointWritten: "fas_checkpoint_written",
    RunFinished: "fas_run_finished",
    RunFailed: "fas_run_failed",
}


WITHOUT = "the run goes on without it"


@frozen(eq=False)
class Listener:
    """A plugin, or a tracker, with the hooks that it implements.

    Args:
        subject: its name in messages, e.g. `tracker 'board' of acme-fas 1.0`.
        package: top-level package of its code.
    """

    subject: str
    package: str
    hooks: pluggy.HookRelay


@define
class RunEvents:
    """Passes the events of a run on to its listeners; nothing that they do changes the run."""

    listeners: list[Listener] = field(factory=list)
    _failed: set[str] = field(factory=set, init=False)

    def send(self, event: Event) -> None:
        """Call every listener's hook for the event; the first failure of each is a warning."""
        for listener in self.listeners:
            try:
                _call(listener, event)
            except FAILURES as error:
                self._warn_once(listener, error)

    def _warn_once(self, listener: Listener, error: BaseException) -> None:
        if listener.subject not in self._failed:
            self._failed.add(listener.subject)
            warn(listener.subject, listener.package, error, "the run goes on, without further such warnings")


def _call(listener: Listener, event: Event) -> None:
    """Call a hook whose prints go to stderr, and whose random numbers are not those of the training."""
    with console.reserve_stdout(), torch.random.fork_rng(devices=()):
        getattr(listener.hooks, HOOKS[type(event)])(event=event)


def warn(subject: str, package: str, error: BaseException, consequence: str) -> None:
    """Warn that a listener failed, and of what follows; with `--verbose` after the traceback."""
    if isinstance(error, FasError):
        message = f"{subject}: {error.message}"
    else:
        message = describe_failure(subject, error, package)
        if console.verbose:
            console.warn(format_traceback(error))
    console.warn(f"{message}; {consequence}")


def find_listeners(recipe: Recipe, registry: Registry) -> Iterator[Listener]:
    """Yield the plugins that implement event hooks, and the trackers of a recipe; warn of those that fail."""
    for record in registry.records:
        if record.events:
            hooks = bind_hooks(record.implementation, record.module)
            yield Listener(str(record), top_package(record.module), hooks)
    for choice in recipe.train.trackers:
        if (tracker := _make_tracker(choice, registry)) is not None:
            yield tracker


def _make_tracker(choice: TrackerChoice, registry: Registry) -> Listener | None:
    """Return a tracker of a recipe; None, after a warning, where it cannot be made."""
    if choice.absence:
        console.warn(f"{choice.absence}; {WITHOUT}")
        return None
    component = registry.find(TrackerChoice.component, choice.name)
    subject, package = str(component), top_package(component.target)
    try:
        with console.reserve_stdout(), torch.random.fork_rng(devices=()):
            tracker: Any = component.load()(choice.options)
            return Listener(subject, package, bind_hooks(tracker, component.target))
    except FAILURES as error:
        warn(subject, package, error, WITHOUT)
        return None
