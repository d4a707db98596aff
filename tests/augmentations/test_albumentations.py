"""The transforms of albumentations as augmentations, where it is installed."""

from __future__ import annotations

import pytest

from fas_core.testing import check_augmentation
from fas_plugins.augmentations.options import CallableOptions

pytest.importorskip("albumentations")

TRANSFORMS = ("CoarseDropout", "GaussNoise", "HueSaturationValue", "ImageCompression", "MotionBlur")
TRANSFORMS += ("RandomBrightnessContrast", "RandomRain", "RandomShadow")


@pytest.mark.long
@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_keeps_the_contract(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images, and random numbers by the run's seed alone."""
    monkeypatch.setenv("FAS_TRUSTED_FUNCTIONS", "albumentations")
    options = CallableOptions(f"albumentations:{name}", arguments={"p": 1.0}, keyword="image")
    check_augmentation("callable", options)
