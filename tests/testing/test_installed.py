"""The kit over installed components: what each is checked with, and what is not checked and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click
import pytest

from fas_core.component import Component
from fas_core.descriptors import Fusion, Loss, Metric
from fas_core.package_files import Catalogue
from fas_core.registry import registry
from fas_core.remembered_kinds import Command
from fas_core.testing import check_component

HERE = f"{__name__}:"


@attrs.frozen
class RequiredOptions:
    rates: tuple[float, ...]
    weight: float


def measure(options: Any, scores: Any, threshold: Any) -> dict[str, float]:
    return {}


@click.command()
def silent() -> None:
    pass


@click.command()
def useful() -> None:
    """Do something."""


def test_a_fusion_of_one_modality_is_checked_with_one() -> None:
    assert check_component(registry().find(Fusion, "single")).status == "passed"


def test_a_loss_for_other_models_is_not_checked() -> None:
    checked = check_component(registry().find(Loss, "am_softmax"))
    assert checked.status == "not checked"
    assert checked.reason.startswith("loss 'am_softmax' of fas-core")
    assert "refuses the model that losses are checked with: loss 'am_softmax' needs a model" in checked.reason


def test_options_without_a_default_are_named() -> None:
    metric = Metric(name="mine", summary="", target=f"{HERE}measure", options=RequiredOptions)
    checked = check_component(metric)
    assert checked.status == "not checked"
    assert checked.reason == "its option 'rates' has no default: check it in a test"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("useful", None),
        ("silent", "mine: no text says what it does: give it a docstring"),
        ("measure", "is no click command"),
        ("missing", "raised PluginError"),
    ],
)
def test_a_command_has_a_help_page(target: str, message: str | None) -> None:
    checked = check_component(Command(name="mine", summary="", target=f"{HERE}{target}"))
    assert (checked.broken is None) == (message is None)
    if message is not None:
        assert message in str(checked.broken)
        assert checked.broken is not None
        assert checked.broken.rule == "loads"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("door: {summary: A door}", "files"),
        ("[]", "must be a mapping of names to public models"),
        ("door: {", "raised"),
    ],
)
def test_every_entry_of_a_catalogue_is_checked(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catalogue, "load", lambda _: text)
    catalogue: Component = Catalogue(name="mine", summary="", target="acme_fas:models.yaml")
    broken = check_component(catalogue).broken
    assert broken is not None
    assert message in str(broken)
    assert broken.rule == "loads"


@pytest.mark.parametrize("command", registry().all(Command), ids=str)
def test_every_installed_command_passes(command: Command) -> None:
    checked = check_component(command)
    assert checked.broken is None
