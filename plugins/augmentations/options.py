"""Options of the augmentations. Ranges are pairs (low, high)."""

from __future__ import annotations

from math import inf
from typing import Any, Literal

from attrs import Attribute, field, frozen
from attrs import validators as v

from fas_core.component import TARGET
from fas_core.config.validators import check_range

PROBABILITY: Any = [v.ge(0), v.le(1)]


@frozen
class CropOptions:
    """A random crop.

    Args:
        scale: area as a fraction of the image, uniform.
        ratio: aspect ratio (width / height), log-uniform.
    """

    scale: tuple[float, float] = field(default=(0.08, 1.0), validator=check_range(0, 1))
    ratio: tuple[float, float] = field(default=(0.75, 4 / 3), validator=check_range(0, 100))


@frozen
class FlipOptions:
    """Args: probability: of a sample."""

    probability: float = field(default=0.5, validator=PROBABILITY)


def _check_erased(options: Any, attribute: Attribute[Any], value: tuple[float, float]) -> None:
    """Check that rectangles of the smallest size fit the image, at one of the aspect ratios."""
    check_range(0, 1)(options, attribute, value)
    low, high = options.ratio
    squarest = min(max(1.0, low), high)
    if value[0] * max(squarest, 1 / squarest) >= 1:
        raise ValueError(
            f"'{attribute.name}' must leave room for an aspect ratio of {squarest:g}: {list(value)}"
        )


@frozen
class EraseOptions:
    """Random erasing; the defaults are the paper's.

    Args:
        probability: of a sample.
        ratio: aspect ratio (height / width) of the rectangle, uniform.
        area: of the rectangle as a fraction of the image, uniform.
        fill: `noise`: each value is random; `black`.
    """

    probability: float = field(default=0.5, validator=PROBABILITY)
    ratio: tuple[float, float] = field(default=(0.3, 1 / 0.3), validator=check_range(0, 100))
    area: tuple[float, float] = field(default=(0.02, 0.4), validator=_check_erased)
    fill: Literal["noise", "black"] = field(default="noise", validator=v.in_(("noise", "black")))


@frozen
class LightingOptions:
    """Args: deviation: standard deviation of the noise along each axis, of its eigenvalue."""

    deviation: float = field(default=0.1, validator=[v.ge(0), v.lt(inf)])


@frozen
class GainOptions:
    """More or less light.

    Args:
        probability: of each image.
        factor: of the values, log-uniform.
    """

    probability: float = field(default=0.5, validator=PROBABILITY)
    factor: tuple[float, float] = field(default=(0.7, 1.4), validator=check_range(0, 100))


@frozen
class GammaOptions:
    """Another tone curve.

    Args:
        probability: of each image.
        exponent: of the values in [0, 1], log-uniform; below 1 is brighter.
    """

    probability: float = field(default=0.5, validator=PROBABILITY)
    exponent: tuple[float, float] = field(default=(0.7, 1.4), validator=check_range(0, 100))


@frozen
class BlurOptions:
    """Gaussian blur, as of a lens out of focus.

    Args:
        probability: of each image.
        deviation: in pixels of the network's input, log-uniform.
    """

    probability: float = field(default=0.3, validator=PROBABILITY)
    deviation: tuple[float, float] = field(default=(0.3, 1.5), validator=check_range(0, 100))


@frozen
class ResamplingOptions:
    """Fewer pixels and back.

    Args:
        probability: of each image.
        scale: side to which an image is reduced, as a fraction, uniform.
    """

    probability: float = field(default=0.3, validator=PROBABILITY)
    scale: tuple[float, float] = field(default=(0.4, 1.0), validator=check_range(0, 1))


@frozen
class NoiseOptions:
    """Gaussian noise of each value.

    Args:
        probability: of each image.
        deviation: of 255, log-uniform.
    """

    probability: float = field(default=0.3, validator=PROBABILITY)
    deviation: tuple[float, float] = field(default=(1.0, 8.0), validator=check_range(0, 255))


@frozen
class JpegOptions:
    """JPEG compression.

    Args:
        probability: of each image.
        quality: uniform.
    """

    probability: float = field(default=0.3, validator=PROBABILITY)
    quality: tuple[int, int] = field(default=(30, 95), validator=check_range(0, 100))


@frozen
class QualityOptions:
    """Args: probability: of each of blur, resampling, noise and JPEG, whose ranges are their defaults."""

    probability: float = field(default=0.3, validator=PROBABILITY)


@frozen
class MoireOptions:
    """Stripes as of a filmed screen.

    Args:
        probability: of each image.
        period: width of a stripe in pixels of the network's input, log-uniform.
        contrast: of the stripes, as a fraction of the light, uniform.
    """

    probability: float = field(default=0.3, validator=PROBABILITY)
    period: tuple[float, float] = field(default=(4.0, 40.0), validator=check_range(2, 1000))
    contrast: tuple[float, float] = field(default=(0.03, 0.2), validator=check_range(0, 1))


@frozen
class MixOptions:
    """Args: probability: of a batch."""

    probability: float = field(default=0.5, validator=PROBABILITY)


def _check_target(_: object, attribute: Attribute[Any], value: str) -> None:
    """Check that it reads `package.module:attribute`."""
    if not TARGET.fullmatch(value):
        raise ValueError(f"'{attribute.name}' must read 'package.module:attribute': {value!r}")


@frozen
class CallableOptions:
    """A function on images, uint8 (S, S, 3) RGB, that returns such an image.

    Args:
        target: `package.module:attribute`, the function, or what makes it where there are `arguments`.
        arguments: what the target is called with, by name, to make the function; null: the target is it.
        keyword: name of the argument that takes the image, and of its place in the mapping that is returned,
            such as `image` of albumentations; empty: the function takes and returns the image.
    """

    target: str = field(validator=_check_target)
    arguments: dict[str, Any] | None = None
    keyword: str = ""
