"""Maps over faces, as pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import FasError
from fas_core.data.images import read_image
from fas_core.runtime import Prediction, Predictor
from fas_core.runtime.explain import Explainer, Pictures
from fas_core.runtime.heat import FOR_ATTACK, FOR_LIVE, GRAD_CAM, OCCLUSION, Judged, Maps, heat, picture

MeanModel = Callable[..., Path]
SIDE = 16


def grey(level: int) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def half(left: float, right: float) -> NDArray[np.float64]:
    """A map of two values, side by side."""
    return np.repeat([[float(left)] * (SIDE // 2) + [float(right)] * (SIDE // 2)], SIDE, axis=0)


def test_occlusion_of_a_model_that_takes_the_mean(mean_model: MeanModel) -> None:
    """Covering a white corner with the face's mean takes from the mean of two modalities half of that."""
    face = {"rgb": grey(0), "ir": grey(100)}
    face["rgb"][:4, :4] = 255  # 1/16 of the face
    maps = Explainer(Predictor(mean_model(("rgb", "ir"), side=SIDE)), square=0.25).maps(face)
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

    predictor = Predictor(mean_model(("rgb", "ir"), side=SIDE, partial=True))
    maps = Explainer(predictor, grad_cam).maps({"ir": grey(9)})
    assert maps.grad_cam is not None
    assert [*maps.occlusion, *maps.grad_cam] == ["ir", "ir"]
    np.testing.assert_array_equal(given, [[[False, True]]])


def test_grad_cam_lies_evenly_over_the_face(mean_model: MeanModel) -> None:
    small = np.array([[[0.0, 1.0], [0.0, 3.0]]])
    explainer = Explainer(Predictor(mean_model(side=SIDE)), lambda images, presence: {"rgb": small})
    maps = explainer.maps({"rgb": grey(9)})
    assert maps.grad_cam is not None
    found = maps.grad_cam["rgb"]
    assert found.shape == (SIDE, SIDE)
    assert (found[0, 0], found[0, -1], found[-1, 0], found[-1, -1]) == (0, 1, 0, 3)
    assert found[:, SIDE // 2 :].mean() > 3 * found[:, : SIDE // 2].mean()


def test_blue_spoke_for_live_and_orange_for_attack() -> None:
    face = grey(100)
    drawn = heat(face, half(0.5, -0.25), 0.5, SIDE).astype(int)
    for_live, for_attack = drawn[0, 0] - 100, drawn[0, -1] - 100
    np.testing.assert_allclose(for_live / (np.array(FOR_LIVE) - 100), 0.65, atol=0.04)
    np.testing.assert_allclose(for_attack / (np.array(FOR_ATTACK) - 100), 0.325, atol=0.04)
    np.testing.assert_array_equal(heat(face, half(0, 0), 0, SIDE), face)
    assert heat(face, half(0, 1), 1, 40).shape == (40, 40, 3)


def test_drops_share_a_scale_and_grad_cam_does_not() -> None:
    face = {"rgb": grey(100), "ir": grey(100)}
    maps = Maps(
        {"rgb": half(0.4, 0), "ir": half(0.2, 0)},
        {"rgb": half(4, 0), "ir": half(2, 0)},
    )
    drawn = maps.drawn(face, SIDE)
    assert list(drawn) == [GRAD_CAM, OCCLUSION]
    np.testing.assert_array_equal(drawn[GRAD_CAM]["rgb"], drawn[GRAD_CAM]["ir"])
    strong, weak = (abs(drawn[OCCLUSION][name][0, 0].astype(int) - 100).max() for name in ("rgb", "ir"))
    assert strong == pytest.approx(2 * weak, abs=1)
    assert maps.said(OCCLUSION, "rgb") == "+0 to +0.4"
    assert Maps({}, {"rgb": half(0, 0)}).said(GRAD_CAM, "rgb") == "nothing for live"


def test_the_sheet_has_a_row_for_each_modality_and_a_block_for_each_face() -> None:
    face = {"rgb": grey(100), "ir": grey(50)}
    values = {name: half(0.1, -0.1) for name in face}
    plain = picture([Judged(face, Prediction(0.9, 0.5), Maps(values))])
    both = picture([Judged(face, Prediction(0.9, 0.5), Maps(values, values))])
    one = picture([Judged({"rgb": face["rgb"]}, Prediction(0.9, 0.5), Maps({"rgb": values["rgb"]}))])
    assert plain.dtype == np.uint8
    assert both.shape[0] == plain.shape[0] > 2 * 224
    assert both.shape[1] - plain.shape[1] > 224
    assert plain.shape[0] - one.shape[0] > 224
    other = Judged(face, Prediction(0.1, 0.5), Maps(values))
    two = picture([Judged(face, Prediction(0.9, 0.5), Maps(values)), other])
    assert two.shape == (2 * plain.shape[0], plain.shape[1], 3)
    assert (two[: len(plain)] == plain).all()
    assert (two[len(plain) :] != plain).any(), "the verdict differs"


def test_pictures_are_written_below_their_folder_as_png(mean_model: MeanModel, tmp_path: Path) -> None:
    predictor = Predictor(mean_model(side=SIDE))
    pictures = Pictures(Explainer(predictor), tmp_path / "out")
    faces = [({"rgb": grey(level)}, Prediction(level / 255, 0.5)) for level in (50, 200)]
    file = pictures.write("../a/b.jpg", faces)
    assert file == tmp_path / "out/a/b.png"
    assert file.read_bytes().startswith(b"\x89PNG")
    height, width, _ = read_image(pictures.write("c.png", faces[:1])).shape
    assert read_image(file).shape == (2 * height, width, 3)
    (tmp_path / "out/file").write_text("")
    with pytest.raises(FasError, match="cannot be written"):
        pictures.write("file/d.png", faces)
