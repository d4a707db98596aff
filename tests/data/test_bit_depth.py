"""16-bit images as 8 bits."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fas_core.data.bit_depth import to_uint8
from fas_core.data.images import as_image, as_pixels, crop, read_image, read_pixels

Image = NDArray[np.uint8]


def depth_map(*, outliers: tuple[int, ...] = ()) -> NDArray[np.uint16]:
    """(100, 100) of 600 to 798 in rows of equal values, but for the first pixels."""
    depth = np.repeat(np.arange(600, 800, 2, dtype=np.uint16)[:, None], 100, axis=1)
    depth.flat[: len(outliers)] = outliers
    return depth


def test_single_outliers_do_not_flatten_a_depth_map() -> None:
    """65535 is not measured, as is 0; others are beyond the 99th percentile, and clipped."""
    plain = as_image(depth_map(), "depth")[..., 0]
    for outliers, values in (((65535, 0), [0, 0]), ((60000, 1), [255, 1])):
        image = as_image(depth_map(outliers=outliers), "depth")[..., 0]
        assert image.flat[:2].tolist() == values
        np.testing.assert_allclose(image.flat[2:], plain.flat[2:], atol=4)
    assert len(np.unique(plain)) == 99  # of 100 rows, the first and the last are clipped to their neighbours


def test_grey_that_was_of_eight_bits_keeps_its_white(noise: Image) -> None:
    grey = noise[..., 0].astype(np.uint16) * 257
    assert grey.max() == 65535
    np.testing.assert_array_equal(as_image(grey, "a")[..., 0], noise[..., 0])


def test_depth_is_stretched_over_the_box(tmp_path: Path) -> None:
    """A wall far behind the face takes nothing of the face's range."""
    scene = np.full((100, 200), 9000, np.uint16)
    scene[:, :100] = depth_map()
    cv2.imwrite(str(tmp_path / "a.png"), scene)
    face = crop(read_pixels(tmp_path / "a.png"), (0, 0, 100, 100))
    np.testing.assert_array_equal(face, as_image(depth_map(), "depth"))
    assert len(np.unique(read_image(tmp_path / "a.png")[:, :100])) < 10


def test_nothing_measured_is_black_and_eight_bits_are_kept(noise: Image) -> None:
    assert as_image(np.full((4, 4), 65535, np.uint16), "a").max() == 0
    assert as_image(np.zeros((4, 4), np.uint16), "a").max() == 0
    assert to_uint8(noise) is noise


def test_arrays_keep_counts_until_the_face_is_known() -> None:
    assert as_pixels(depth_map(), "a").dtype == np.uint16
    colour = np.dstack([depth_map(), depth_map() * 2, depth_map() * 3])
    np.testing.assert_array_equal(as_pixels(colour, "a")[..., 2], np.round(colour[..., 2] / 257))
