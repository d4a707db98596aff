"""Losses of quality as cameras, phones and video calls cause them: blur, resampling, noise, JPEG.

Their strengths are those of images at the size of the network's input.
"""

from __future__ import annotations

from functools import partial
from typing import cast

import cv2
import numpy as np

from fas_plugins.augmentations.each_image import Change, EachImage, Image, draw_log_uniform
from fas_plugins.augmentations.options import (
    BlurOptions,
    JpegOptions,
    NoiseOptions,
    QualityOptions,
    ResamplingOptions,
)


def make_blur(options: BlurOptions) -> EachImage:
    return EachImage(options.probability, (_blur(options),))


def make_resampling(options: ResamplingOptions) -> EachImage:
    return EachImage(options.probability, (_resample(options),))


def make_noise(options: NoiseOptions) -> EachImage:
    return EachImage(options.probability, (_add_noise(options),))


def make_jpeg(options: JpegOptions) -> EachImage:
    return EachImage(options.probability, (_compress(options),))


def make_quality(options: QualityOptions) -> EachImage:
    changes = (
        _blur(BlurOptions()),
        _resample(ResamplingOptions()),
        _add_noise(NoiseOptions()),
        _compress(JpegOptions()),
    )
    return EachImage(options.probability, changes)


def _blur(options: BlurOptions) -> Change:
    return partial(add_blur, deviation=options.deviation)


def _resample(options: ResamplingOptions) -> Change:
    return partial(resample, scale=options.scale)


def _add_noise(options: NoiseOptions) -> Change:
    return partial(add_noise, deviation=options.deviation)


def _compress(options: JpegOptions) -> Change:
    return partial(compress, quality=options.quality)


def add_blur(image: Image, rng: np.random.Generator, deviation: tuple[float, float]) -> Image:
    """Blur an image (H, W, 3) as a lens out of focus does; `deviation` in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), draw_log_uniform(rng, *deviation)))


def resample(image: Image, rng: np.random.Generator, scale: tuple[float, float]) -> Image:
    """Reduce an image (H, W, 3) by areas to a fraction of its side and enlarge it again, linearly."""
    height, width = image.shape[:2]
    fraction = rng.uniform(*scale)
    small = (max(1, round(width * fraction)), max(1, round(height * fraction)))
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR))


def add_noise(image: Image, rng: np.random.Generator, deviation: tuple[float, float]) -> Image:
    """Add independent Gaussian noise to each value of an image (H, W, 3); `deviation` of 255."""
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(draw_log_uniform(rng, *deviation))
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def compress(image: Image, rng: np.random.Generator, quality: tuple[int, int]) -> Image:
    """Compress an image (H, W, 3) as JPEG, and decode it."""
    drawn = int(rng.integers(quality[0], quality[1] + 1))
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, drawn])
    decoded = cast(Image, cv2.imdecode(data, cv2.IMREAD_COLOR))  # never None: OpenCV has just written it
    return cast(Image, cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))
