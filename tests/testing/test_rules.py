"""Every check that fails names a rule of the contract, and why the rule exists."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from fas_core.descriptors import Loss
from fas_core.testing import RULES, ContractError, check_loss, check_metric
from fas_core.testing.rules import rule
from fas_plugins.losses.options import CrossEntropyOptions

Provide = Callable[..., str]


def test_a_rule_is_named_once_and_explained() -> None:
    with pytest.raises(ContractError, match="gap: wrong") as caught, rule("figures"), rule("mean"):
        raise AssertionError("gap: wrong\nassert False")
    assert str(caught.value) == "gap: wrong"
    assert (caught.value.rule, caught.value.why) == ("mean", RULES["mean"])
    assert RULES["mean"] in "".join(traceback.format_exception(caught.value))


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), rule("mean"):
        1 / 0  # noqa: B018


def test_every_rule_of_the_checks_is_explained(repository: Path) -> None:
    sources = [path.read_text() for path in (repository / "fas_core" / "testing").glob("*.py")]
    used = {name for text in sources for name in re.findall(r'\brule\("([^"]+)"\)', text)}
    assert used == set(RULES)


@pytest.mark.parametrize(
    ("compute", "broken"),
    [
        (lambda outputs, batch: outputs.logits.sum(), "depends on labels"),
        (lambda outputs, batch: cross_entropy(outputs.logits, batch.label, reduction="sum"), "mean"),
        (lambda outputs, batch: cross_entropy(outputs.logits, batch.label, reduction="none"), "mean"),
        (lambda outputs, batch: torch.tensor(float(batch.label[0])), "finite gradient"),
        (lambda outputs, batch: outputs.embedding.sum(), "needs"),
    ],
)
def test_the_rule_that_a_loss_breaks(provide: Provide, compute: Callable[..., Any], broken: str) -> None:
    def target(options: Any, *, model: Any) -> Callable[..., Any]:
        def loss(outputs: Any, batch: Any) -> Any:
            return compute(outputs, batch)

        loss.needs = ("logits",)  # type: ignore[attr-defined]
        return loss

    with pytest.raises(ContractError) as caught:
        check_loss(provide("loss", target))
    assert caught.value.rule == broken


@pytest.mark.parametrize(
    ("measure", "broken"),
    [
        (lambda scores: {}, "figures"),
        (lambda scores: {"first": float(scores.scores[0]) if len(scores) else 0.0}, "order of samples"),
        (lambda scores: {"mean": float(scores.live.mean())}, "every table"),
        (lambda scores: 1.0, "figures"),
    ],
)
def test_the_rule_that_a_metric_breaks(provide: Provide, measure: Callable[..., Any], broken: str) -> None:
    with pytest.raises(ContractError) as caught:
        check_metric(provide("metric", lambda options, scores, threshold: measure(scores)))
    assert caught.value.rule == broken


def test_a_descriptor_is_checked_without_being_installed() -> None:
    target = "fas_plugins.losses.cross_entropy:CrossEntropy"
    check_loss(Loss(name="mine", summary="", target=target, options=CrossEntropyOptions))
    with pytest.raises(ContractError, match="mine: loading acme_fas:Loss raised PluginError") as caught:
        check_loss(Loss(name="mine", summary="", target="acme_fas:Loss"))
    assert caught.value.rule == "loads"
