"""Small inputs for contract checks, and failures in plain words."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from fas_core.contracts import Verification
from fas_core.errors import ModelError
from fas_core.models.model import scorer
from fas_core.testing import support as testing


def test_scores_are_the_same_each_time_and_the_classes_overlap() -> None:
    table = testing.score_table(40, 61)
    assert np.array_equal(table.scores, testing.score_table(40, 61).scores)
    assert (len(table.live), len(table)) == (40, 101)
    assert table.live.min() < table.scores[40:].max()
    assert set(table.table.column("species").to_pylist()) == {"live", "print", "replay"}


def test_every_image_is_a_batch_for_the_tiny_model() -> None:
    images = testing.random_images(("rgb", "ir"))
    scores = scorer(testing.tiny_model(("rgb", "ir")))(images)
    assert scores.shape == (testing.BATCH,)
    assert len(set(scores)) == testing.BATCH


def test_verification_measures_the_difference_and_records_it() -> None:
    model, images = testing.tiny_model(), testing.random_images(("rgb",))
    results: list[Verification] = []
    verify = testing.verify_on(model, images, results)
    exact = scorer(model)
    shifts = np.array([0.0, 0.1, 0.0, 0.3])
    result = verify(lambda batch, presence=None: exact(batch) + shifts, tolerance=None, acer_loss=0.0)
    assert result.max_difference == pytest.approx(0.3)
    assert result.mean_difference == pytest.approx(0.1)
    assert results == [result]


def test_verification_refuses_a_larger_difference_than_the_tolerance() -> None:
    model, images = testing.tiny_model(), testing.random_images(("rgb",))
    verify, exact = testing.verify_on(model, images), scorer(model)
    assert verify(exact, tolerance=0.0, acer_loss=0.0).max_difference == 0
    for shift in (0.1, float("nan")):
        with pytest.raises(ModelError, match="scores differ"):
            verify(
                lambda batch, presence=None, shift=shift: exact(batch) + shift, tolerance=0.05, acer_loss=0
            )


def test_the_reference_is_the_model_before_the_exporter_changes_it() -> None:
    model, images = testing.tiny_model(), testing.random_images(("rgb",))
    verify = testing.verify_on(model, images)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(1)
    assert verify(scorer(model), tolerance=None, acer_loss=0.0).max_difference > 0


def test_all_outputs_depend_on_the_logits() -> None:
    logits = torch.tensor([[0.0, 1.0]] * 4, requires_grad=True)
    outputs = testing.outputs_of(logits)
    for output in (outputs.score, outputs.map, outputs.embedding):
        assert output is not None
        assert output.requires_grad
        assert len(output) == 4


def test_a_batch_has_images_of_three_modalities() -> None:
    batch = testing.batch_of(torch.tensor([1, 0, 1, 0]))
    assert {name: (value.shape, value.dtype) for name, value in batch.images.items()} == dict.fromkeys(
        ("rgb", "depth", "ir"), ((4, 32, 32, 3), torch.uint8)
    )


def test_what_a_component_raises_is_one_line_with_its_name_and_the_step() -> None:
    with (
        pytest.raises(AssertionError, match=r"^hinge: the loss raised KeyError: 'depth'$"),
        testing.explain("hinge", "the loss"),
    ):
        {}["depth"]


def test_warnings_count_only_where_they_must() -> None:
    with (
        pytest.raises(AssertionError, match="gap: it warned: Mean of empty slice"),
        testing.explain("gap", "it", strict=True),
    ):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=1)


def test_missing_attributes_and_methods_are_named() -> None:
    module = nn.Module()
    module.forward_head = 3  # type: ignore[assignment]
    with pytest.raises(AssertionError, match=r"net: Module has no `num_logits` \(K\)"):
        testing.check_attributes("net", module, num_logits="K")
    with pytest.raises(AssertionError, match="net: `forward_head` is not callable"):
        testing.check_attributes("net", module, forward_head="a method()")
