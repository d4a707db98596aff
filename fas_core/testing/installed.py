"""The contract kit over what is installed: any component, whatever its kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from attrs import NOTHING, fields, frozen
from click import Command as ClickCommand

from fas_core.component import Component
from fas_core.console import console
from fas_core.data.detectors import DetectorChoice
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
from fas_core.errors import ConfigError, DataError
from fas_core.package_files import Catalogue, RecipeFile
from fas_core.remembered_kinds import Command, Detector, Runtime
from fas_core.runtime.public_model import parse_catalogue
from fas_core.testing.augmentations import check_augmentation
from fas_core.testing.checks import check_dataset, check_loss, check_metric
from fas_core.testing.detectors import check_detector
from fas_core.testing.exporters import check_exporter
from fas_core.testing.networks import check_backbone, check_fusion
from fas_core.testing.optimizers import check_optimizer
from fas_core.testing.recipes import check_recipe
from fas_core.testing.rules import ContractError, rule
from fas_core.testing.runtimes import check_runtime, find_exporter
from fas_core.testing.schedules import check_schedule
from fas_core.testing.setups import choose_modalities, describe_refusal
from fas_core.testing.support import explain
from fas_core.testing.trackers import check_tracker


@frozen
class Checked:
    """What the check of a component found: the rule that it breaks, or why it was not checked."""

    component: Component
    broken: ContractError | None = None
    reason: str = ""

    @property
    def status(self) -> Literal["passed", "failed", "not checked"]:
        if self.broken is not None:
            return "failed"
        return "not checked" if self.reason else "passed"


def check_component(component: Component, root: Path | None = None) -> Checked:
    """Check an installed component with its default options, by the rules of its kind.

    Args:
        root: of a data set's data, which is not checked without.
    """
    if reason := _describe_missing(component, root):
        return Checked(component, reason=reason)
    try:
        with TemporaryDirectory() as folder:
            _check(component, Path(folder), root)
    except ContractError as broken:
        return Checked(component, broken)
    return Checked(component)


def _describe_missing(component: Component, root: Path | None) -> str:
    """Return what is not at hand that the check of a component needs; empty where nothing is missing."""
    match component:
        case Dataset() if root is None:
            return "a data set is checked on its data: give --root FOLDER"
        case Runtime() if find_exporter(component) is None:
            return f"no installed exporter writes files {', '.join(component.suffixes)} to open"
        case Detector():
            return _describe_missing_model(component)
        case Exporter() if component.fetches:
            return f"it fetches {component.fetches}: check it in a test that has it at hand"
    if required := [item.name for item in fields(component.options) if item.default is NOTHING]:
        return f"its option {required[0]!r} has no default: check it in a test"
    return describe_refusal(component) if isinstance(component, Loss) else ""


def _describe_missing_model(detector: Detector) -> str:
    try:
        is_at_hand = DetectorChoice.of(detector).is_at_hand
    except DataError as error:
        return error.message
    return "" if is_at_hand else f"the detector {detector.name}: first fas models get {detector.fetched}"


def _check(component: Component, folder: Path, root: Path | None) -> None:
    match component:
        case Backbone():
            check_backbone(component, input_size=component.input_size)
        case Fusion():
            check_fusion(component, modalities=choose_modalities(component))
        case Augmentation():
            check_augmentation(component)
        case Loss():
            check_loss(component)
        case Optimizer():
            check_optimizer(component)
        case Schedule():
            check_schedule(component)
        case Metric():
            check_metric(component)
        case Exporter():
            check_exporter(component, folder)
        case RecipeFile():
            check_recipe(component)
        case Runtime():
            check_runtime(component, folder)
        case Detector():
            check_detector(component)
        case Tracker():
            check_tracker(component, folder)
        case Dataset() if root is not None:
            check_dataset(component, root)
        case _:
            _check_loads(component)


@rule("loads")
def _check_loads(component: Component) -> None:
    """Check that a command is one of click with a help page, and that a catalogue's entries are valid."""
    name = component.name
    with explain(name, f"loading {component.target}"):
        loaded = component.load()
        if isinstance(component, Catalogue):
            parse_catalogue(loaded, component.target)
    if isinstance(component, Command):
        assert isinstance(loaded, ClickCommand), f"{name}: {component.target} is no click command"
        with explain(name, "its help page"):
            help_page = loaded.get_help(loaded.context_class(loaded, info_name=name))
        assert loaded.help or loaded.short_help, f"{name}: no text says what it does: give it a docstring"
        assert help_page


def check_all(components: Sequence[Component], root: Path | None = None) -> list[Checked]:
    """Check components one by one, with progress; `root` is the data of a data set among them.

    Raises:
        ConfigError: there is a root, and not exactly one data set to check on it.
    """
    if root is not None and sum(isinstance(item, Dataset) for item in components) != 1:
        raise ConfigError("--root is of one data set: name it")
    checked = []
    with console.progress("checking", len(components), "components") as bar:
        for component in components:
            checked.append(check_component(component, root))
            bar.advance()
    return checked
