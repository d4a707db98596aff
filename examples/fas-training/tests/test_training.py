"""The contract checks, and each component against its formula."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from fas_core.testing import check_augmentation, check_optimizer, check_schedule
from fas_training.hide_and_seek import hide_patches
from fas_training.lion import Lion
from fas_training.options import HideAndSeekOptions, LionOptions, PolynomialOptions
from fas_training.polynomial import build_polynomial


def test_contracts() -> None:
    check_augmentation("hide_and_seek")
    check_optimizer("lion")
    check_schedule("polynomial")


def test_hidden_patches_have_the_mean_colour_and_others_are_as_they_were() -> None:
    image = np.random.default_rng(14).integers(0, 256, (10, 10, 3), np.uint8)
    result = hide_patches(image, np.array([[True, False], [False, False]]))
    assert (result[:5, :5] == image.mean(axis=(0, 1)).astype(np.uint8)).all()
    np.testing.assert_array_equal(result[5:], image[5:])
    np.testing.assert_array_equal(result[:, 5:], image[:, 5:])


def test_lion_is_algorithm_2_of_the_paper() -> None:
    train: Any = SimpleNamespace(lr=0.1, weight_decay=0.01)
    weight = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = Lion(LionOptions(beta=0.9, decay=0.99), [{"params": [weight]}], train)
    w, m = np.array([1.0, -2.0]), np.zeros(2)
    for gradient in ([0.5, -0.1], [-3.0, 0.2]):
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        g = np.array(gradient)
        w = w - 0.1 * (np.sign(0.9 * m + 0.1 * g) + 0.01 * w)
        m = 0.99 * m + 0.01 * g
    np.testing.assert_allclose(weight.detach().numpy(), w, rtol=1e-5)


def test_a_polynomial_of_power_1_is_a_straight_line() -> None:
    train: Any = SimpleNamespace(epochs=2)
    factor = build_polynomial(PolynomialOptions(power=1), updates_per_epoch=5, train=train)
    assert [factor(update) for update in (0, 5, 9)] == pytest.approx([1, 0.5, 0.1])


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (HideAndSeekOptions, {"grid": 0}),
        (HideAndSeekOptions, {"probability": 1.0}),
        (LionOptions, {"beta": 1.0}),
        (LionOptions, {"decay": -0.1}),
        (PolynomialOptions, {"power": 0.0}),
    ],
)
def test_options_that_are_out_of_range_are_refused(options: type[Any], values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        options(**values)
