import numpy as np
import pytest

from fas_plugins.datasets.simulator.noise import make_generator, smooth_noise, white_noise


def test_generators_differ_with_seed_and_key() -> None:
    draws = [make_generator(*key).random() for key in ((0,), (1,), (0, 1), (0, 1, 0))]
    assert len(set(draws)) == 4
    assert make_generator(0, 1).random() == draws[2]


def test_noise_has_deviation_one() -> None:
    rng = make_generator(0)
    assert white_noise(rng, 200, 200).std() == pytest.approx(1, abs=0.02)
    assert smooth_noise(rng, 200, 50).std() == pytest.approx(1, abs=0.3)


def test_smooth_noise_varies_slowly() -> None:
    smooth = smooth_noise(make_generator(0), 128, 4, 3)
    assert smooth.shape == (128, 128, 3)
    assert np.abs(np.diff(smooth, axis=0)).max() < 0.25
