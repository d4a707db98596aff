"""Occlusion maps of scorers whose answer is known, and the maps of an exported model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core.contracts import Images
from fas_core.runtime import Predictor
from fas_core.runtime.explain import Explainer, occlusion
from fas_core.runtime.predictor import BATCH_SIZE

MeanModel = Callable[..., Path]
FACE = 16
SIDE = 32
REGION = np.s_[8:16, 16:24]
"""The square that counts."""

Presence = NDArray[np.bool_] | None


def brightness(modality: str = "rgb", sign: float = 1) -> Callable[..., NDArray[np.float64]]:
    """The mean of the square that counts, / 255."""

    def score(images: Images, presence: Presence = None) -> NDArray[np.float64]:
        return sign * images[modality][:, *REGION].mean(axis=(1, 2, 3), dtype=np.float64) / 255

    return score


def lit() -> NDArray[np.uint8]:
    """(1, S, S, 3), white where it counts and black elsewhere: its mean, 15.94, is covered with as 16."""
    image = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    image[0][REGION] = 255
    return image


def noise(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_drop_is_where_the_score_comes_from_and_nowhere_else(sign: int) -> None:
    found = occlusion(brightness(sign=sign), {"rgb": lit()}, square=8, stride=8)
    expected = np.zeros((SIDE, SIDE))
    expected[REGION] = sign * (1 - 16 / 255)
    np.testing.assert_allclose(found["rgb"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("square", "stride"), [(8, 4), (5, 3), (7, 7), (32, 1), (1, 1)])
def test_a_pixel_has_the_mean_drop_of_the_squares_over_it(square: int, stride: int) -> None:
    image, score = noise(), brightness()
    found = occlusion(score, {"rgb": image}, square=square, stride=stride)["rgb"]
    starts = sorted({*range(0, SIDE - square + 1, stride), SIDE - square})
    colour = np.round(image[0].reshape(-1, 3).mean(axis=0))
    drops: dict[tuple[int, int], list[float]] = {}
    for top in starts:
        for left in starts:
            covered = image.copy()
            covered[0, top : top + square, left : left + square] = colour
            drop = float(score({"rgb": image})[0] - score({"rgb": covered})[0])
            for y in range(top, top + square):
                for x in range(left, left + square):
                    drops.setdefault((y, x), []).append(drop)
    expected = [[np.mean(drops[y, x]) for x in range(SIDE)] for y in range(SIDE)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_one_modality_is_covered_at_a_time() -> None:
    found = occlusion(brightness("ir"), {"rgb": noise(1), "ir": lit()}, square=8, stride=8)
    assert list(found) == ["rgb", "ir"]
    assert not found["rgb"].any()
    assert found["ir"][REGION].min() == found["ir"].max() > 0.9


def test_what_is_missing_has_no_map_and_stays_missing() -> None:
    seen: list[Presence] = []

    def score(images: Images, presence: Presence = None) -> NDArray[np.float64]:
        seen.append(presence)
        return brightness("depth")(images)

    images, presence = {"rgb": np.zeros_like(lit()), "depth": lit()}, np.array([[False, True]])
    assert list(occlusion(score, images, presence, square=8, stride=8)) == ["depth"]
    assert all(given is not None and (given == [False, True]).all() for given in seen)


def test_batches_are_small_and_the_face_is_left_as_it_is() -> None:
    image, sizes = noise(), []

    def score(images: Images, presence: Presence = None) -> NDArray[np.float64]:
        sizes.append(len(images["rgb"]))
        return brightness()(images)

    occlusion(score, {"rgb": image}, square=8, stride=4)
    assert sizes == [1, BATCH_SIZE, 49 - BATCH_SIZE]
    np.testing.assert_array_equal(image, noise())


@pytest.mark.parametrize(("square", "stride"), [(33, 1), (8, 9), (8, 0), (0, 0)])
def test_squares_that_leave_gaps_are_refused(square: int, stride: int) -> None:
    with pytest.raises(ValueError, match=f"square {square} and stride {stride} for 32 pixels"):
        occlusion(brightness(), {"rgb": lit()}, square=square, stride=stride)


def grey(level: int) -> NDArray[np.uint8]:
    return np.full((FACE, FACE, 3), level, np.uint8)


def test_occlusion_of_a_model_that_takes_the_mean(mean_model: MeanModel) -> None:
    """Covering a white corner with the face's mean takes from the mean of two modalities half of that."""
    face = {"rgb": grey(0), "ir": grey(100)}
    face["rgb"][:4, :4] = 255  # 1/16 of the face
    maps = Explainer(Predictor(mean_model(("rgb", "ir"), side=FACE)), square=0.25).explain(face)
    assert maps.grad_cam is None
    mean = round(255 / 16)
    assert maps.occlusion["rgb"][0, 0] == pytest.approx((255 - mean) / 16 / 255 / 2, abs=1e-7)
    assert maps.occlusion["rgb"][-1, -1] == pytest.approx(-mean / 16 / 255 / 2, abs=1e-7)
    assert abs(maps.occlusion["ir"]).max() < 1e-7


def test_a_missing_modality_has_no_maps(mean_model: MeanModel) -> None:
    given = []

    def grad_cam(images: object, presence: NDArray[np.bool_] | None) -> dict[str, NDArray[np.float64]]:
        given.append(presence)
        return {"rgb": np.ones((1, 2, 2)), "ir": np.ones((1, 2, 2))}

    predictor = Predictor(mean_model(("rgb", "ir"), side=FACE, partial=True))
    maps = Explainer(predictor, grad_cam).explain({"ir": grey(9)})
    assert maps.grad_cam is not None
    assert [*maps.occlusion, *maps.grad_cam] == ["ir", "ir"]
    np.testing.assert_array_equal(given, [[[False, True]]])


def test_grad_cam_lies_evenly_over_the_face(mean_model: MeanModel) -> None:
    small = np.array([[[0.0, 1.0], [0.0, 3.0]]])
    explainer = Explainer(Predictor(mean_model(side=FACE)), lambda images, presence: {"rgb": small})
    maps = explainer.explain({"rgb": grey(9)})
    assert maps.grad_cam is not None
    found = maps.grad_cam["rgb"]
    assert found.shape == (FACE, FACE)
    assert (found[0, 0], found[0, -1], found[-1, 0], found[-1, -1]) == (0, 1, 0, 3)
    assert found[:, FACE // 2 :].mean() > 3 * found[:, : FACE // 2].mean()
