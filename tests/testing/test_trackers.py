"""The contract check of trackers accepts ours and names what others break."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fas_core import hookimpl
from fas_core.testing import check_tracker
from fas_plugins.trackers.options import AccelerateOptions

Provide = Callable[..., str]


@pytest.mark.parametrize("name", ["csv", "tensorboard"])
def test_our_trackers_pass(name: str, tmp_path: Path) -> None:
    check_tracker(name, tmp_path)


def test_the_tracker_of_accelerate_passes(tmp_path: Path) -> None:
    check_tracker("accelerate", tmp_path, AccelerateOptions("tensorboard"))


class Silent:
    def fas_run_finished(self, event: object) -> None:
        """No hook, for it lacks the mark."""


class OncePerRun:
    epoch = 0

    @hookimpl
    def fas_run_started(self, event: Any) -> None:
        self.epoch = event.history[0]["epoch"]


class Dividing:
    @hookimpl
    def fas_epoch_finished(self, event: Any) -> None:
        event.figures["dev/eer"]


class Warns:
    @hookimpl
    def fas_run_failed(self, event: Any) -> None:
        warnings.warn("old", stacklevel=1)


@pytest.mark.parametrize(
    ("tracker", "message"),
    [
        (Silent, "broken: target.options. raised PluginError: broken implements no hook"),
        (OncePerRun, "broken: fas_run_started raised IndexError"),
        (Dividing, "broken: fas_epoch_finished of epoch 2 raised KeyError: 'dev/eer'"),
        (Warns, "broken: fas_run_failed warned: old"),
    ],
)
def test_a_broken_tracker_is_named(provide: Provide, tmp_path: Path, tracker: type, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_tracker(provide("tracker", lambda options: tracker()), tmp_path)
