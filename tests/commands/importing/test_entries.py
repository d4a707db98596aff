"""Which entry of a published checkpoint is which."""

from __future__ import annotations

import torch

from fas_core.testing import tiny_model
from fas_plugins.commands.importing.entries import (
    count_classes,
    match_by_order,
    names_from_end,
    published_names,
)


def test_only_a_model_of_one_branch_has_published_names() -> None:
    single, fused = tiny_model(), tiny_model(("rgb", "ir"))
    single.backbones["rgb"].published_name = lambda name: f"old.{name}"
    names = published_names(single)
    assert names["backbones.rgb.convolution.weight"] == "old.convolution.weight"
    assert names["fusion.linear.weight"] == "fusion.linear.weight"
    assert published_names(fused) == {name: name for name in fused.state_dict()}


def test_names_are_aligned_from_the_end() -> None:
    model = dict.fromkeys(("stem", "bn.num_batches_tracked", "body", "fc"), torch.rand(1))
    file = dict.fromkeys(("trunk", "classifier"), torch.rand(1))
    assert names_from_end(model, file) == {
        "stem": "",
        "bn.num_batches_tracked": "",
        "body": "trunk",
        "fc": "classifier",
    }


def test_the_classifier_has_a_row_for_each_class() -> None:
    names = {"fc.weight": "last.weight", "fc.bias": "last.bias"}
    assert count_classes(names, names, {"last.weight": torch.rand(7, 3), "last.bias": torch.rand(7)}) == 7
    assert count_classes((), {}, {}) == 2
    assert count_classes(names, names, {"other": torch.rand(7)}) == 2


def test_order_tells_apart_the_entries_of_a_batch_norm() -> None:
    model = {f"bn.{name}": torch.rand(3) for name in ("weight", "bias", "running_mean", "running_var")}
    file = {name.replace("bn", "norm"): value for name, value in reversed(model.items())}
    match = match_by_order(model, {**file, "more.weight": torch.rand(9)})
    assert dict(match.pairs) == {name: name.replace("bn", "norm") for name in model}
    assert match.unused == ("more.weight (9,)",)


def test_entries_of_another_shape_are_missing() -> None:
    match = match_by_order({"a.weight": torch.rand(3), "n.num_batches_tracked": torch.zeros(())}, {})
    assert match.missing == ("a.weight (3,)",)
