"""Standardisation: constants of batches of one size are those of all samples."""

from __future__ import annotations

import torch

from fas_plugins.backbones.standardize import Standardize


def test_constants_are_those_of_all_samples_so_far() -> None:
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(1)) * torch.tensor([1, 5, 0.1]) + 10
    layer = Standardize(3).train()
    for batch in x.split(20):
        layer(batch)
    mean, variance = layer.get_buffer("mean"), layer.get_buffer("variance")
    torch.testing.assert_close(mean, x.mean(dim=0))
    torch.testing.assert_close(variance, x.var(dim=0, correction=0), rtol=1e-4, atol=0)
    result = layer.eval()(x)
    torch.testing.assert_close(result.mean(dim=0), torch.zeros(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(result.std(dim=0, correction=0), torch.ones(3), rtol=1e-3, atol=0)


def test_a_sample_does_not_depend_on_its_batch_in_training() -> None:
    layer, x = Standardize(2).train(), torch.tensor([[1.0, 2], [5, 6]])
    assert torch.equal(layer(x), x * (1 + 1e-5) ** -0.5)  # constants are 0 and 1 before the first batch


def test_old_batches_are_forgotten_by_the_momentum() -> None:
    layer = Standardize(1, momentum=0.5).train()
    for value in (0.0, 0.0, 8.0):
        layer(torch.full((2, 1), value))
    assert layer.get_buffer("mean").item() == 4
