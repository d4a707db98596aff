"""Pictures of results: boxes and verdicts on photos, explanation maps over faces, sheets and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import DataError, FasError
from fas_core.data.images import read_image
from fas_core.runtime import Prediction, Predictor
from fas_core.runtime.explain import Explainer, ExplanationMaps
from fas_core.runtime.inputs import InputSample
from fas_core.runtime.pictures import (
    ATTACK,
    FOR_ATTACK,
    FOR_LIVE,
    GRAD_CAM,
    LIVE,
    NOT_SCORED,
    OCCLUSION,
    ExplanationWriter,
    annotate,
    check_output_paths,
    describe_map,
    draw_heatmap,
    draw_maps,
    draw_sheet,
    output_path,
)
from fas_core.runtime.prediction import FaceResult


@pytest.mark.parametrize(
    ("relative", "suffix", "path"),
    [
        ("a/b.jpg", None, "a/b.jpg"),
        ("a/b.gif", None, "a/b.png"),
        ("a/b.jpg", ".png", "a/b.png"),
        ("/a/../../b.jpg", None, "a/b.jpg"),
        ("clip:1", None, "clip:1.png"),
    ],
)
def test_copies_lie_below_their_folder(relative: str, suffix: str | None, path: str) -> None:
    assert output_path(Path("/out"), relative, suffix) == Path("/out", path)


def test_two_copies_of_one_path_are_refused(tmp_path: Path) -> None:
    samples = [InputSample(name, {}, "x.jpg") for name in ("a/x.jpg", "b/x.jpg")]
    check_output_paths(tmp_path, samples[:1])
    with pytest.raises(DataError, match=r"two inputs would be annotated as x\.jpg"):
        check_output_paths(tmp_path, samples)
    samples = [InputSample(name, {}, name) for name in ("x.jpg", "x.png")]
    check_output_paths(tmp_path, samples)
    with pytest.raises(DataError, match=r"two inputs would be explained as x\.png"):
        check_output_paths(tmp_path, samples, ".png")


def test_a_copy_that_would_replace_a_photo_is_refused(tmp_path: Path) -> None:
    sample = InputSample("x.jpg", {"rgb": tmp_path / "x.jpg"}, "x.jpg")
    check_output_paths(tmp_path / "out", [sample])
    with pytest.raises(DataError, match=r"annotated copies would replace .*x\.jpg: choose another folder"):
        check_output_paths(tmp_path, [sample])


@pytest.mark.parametrize(
    ("prediction", "colour"),
    [(Prediction(0.9, 0.5), LIVE), (Prediction(0.1, 0.5), ATTACK), (None, NOT_SCORED)],
)
def test_the_frame_has_the_colour_of_the_verdict(prediction: Prediction | None, colour: tuple) -> None:
    photo = np.full((400, 500, 3), 255, np.uint8)
    copy = annotate(photo, [FaceResult("x", {}, (100, 200, 50, 60), prediction, "no face found")])
    assert copy.shape == photo.shape
    assert tuple(copy[259, 125]) == tuple(copy[230, 149]) == colour  # lower and right edge
    assert (copy[230, 125] == 255).all()
    assert (photo == 255).all()


def test_small_photos_are_enlarged_and_a_result_without_a_box_frames_all() -> None:
    copy = annotate(np.full((80, 160, 3), 255, np.uint8), [FaceResult("x", {}, None, Prediction(0.9, 0.5))])
    assert copy.shape == (320, 640, 3)
    assert tuple(copy[319, 320]) == tuple(copy[160, 639]) == LIVE


MeanModel = Callable[..., Path]
SIDE = 16


def grey(level: int) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def half(left: float, right: float) -> NDArray[np.float64]:
    """A map of two values, side by side."""
    return np.repeat([[float(left)] * (SIDE // 2) + [float(right)] * (SIDE // 2)], SIDE, axis=0)


def test_blue_spoke_for_live_and_orange_for_attack() -> None:
    face = grey(100)
    drawn = draw_heatmap(face, half(0.5, -0.25), 0.5, SIDE).astype(int)
    for_live, for_attack = drawn[0, 0] - 100, drawn[0, -1] - 100
    np.testing.assert_allclose(for_live / (np.array(FOR_LIVE) - 100), 0.65, atol=0.04)
    np.testing.assert_allclose(for_attack / (np.array(FOR_ATTACK) - 100), 0.325, atol=0.04)
    np.testing.assert_array_equal(draw_heatmap(face, half(0, 0), 0, SIDE), face)
    assert draw_heatmap(face, half(0, 1), 1, 40).shape == (40, 40, 3)


def test_drops_share_a_scale_and_grad_cam_does_not() -> None:
    face = {"rgb": grey(100), "ir": grey(100)}
    maps = ExplanationMaps(
        {"rgb": half(0.4, 0), "ir": half(0.2, 0)},
        {"rgb": half(4, 0), "ir": half(2, 0)},
    )
    drawn = draw_maps(maps, face, SIDE)
    assert list(drawn) == [GRAD_CAM, OCCLUSION]
    np.testing.assert_array_equal(drawn[GRAD_CAM]["rgb"], drawn[GRAD_CAM]["ir"])
    strong, weak = (abs(drawn[OCCLUSION][name][0, 0].astype(int) - 100).max() for name in ("rgb", "ir"))
    assert strong == pytest.approx(2 * weak, abs=1)
    assert describe_map(maps, OCCLUSION, "rgb") == "+0 to +0.4"
    assert describe_map(ExplanationMaps({}, {"rgb": half(0, 0)}), GRAD_CAM, "rgb") == "nothing for live"


def test_the_sheet_has_a_row_for_each_modality_and_a_column_for_each_map() -> None:
    face, prediction = {"rgb": grey(100), "ir": grey(50)}, Prediction(0.9, 0.5)
    values = {name: half(0.1, -0.1) for name in face}
    plain = draw_sheet(face, prediction, ExplanationMaps(values))
    with_grad_cam = draw_sheet(face, prediction, ExplanationMaps(values, values))
    one = draw_sheet({"rgb": face["rgb"]}, prediction, ExplanationMaps({"rgb": values["rgb"]}))
    assert plain.dtype == np.uint8
    assert with_grad_cam.shape[0] == plain.shape[0] > 2 * 224
    assert with_grad_cam.shape[1] - plain.shape[1] > 224
    assert plain.shape[0] - one.shape[0] > 224
    other = draw_sheet(face, Prediction(0.1, 0.5), ExplanationMaps(values))
    assert other.shape == plain.shape
    assert (other != plain).any(), "the verdict differs"


def test_below_a_map_stands_what_it_says() -> None:
    """The captions differ where the maps, drawn with their own scales, do not."""
    face, prediction = {"rgb": grey(100)}, Prediction(0.9, 0.5)
    strong, weak = (
        draw_sheet(face, prediction, ExplanationMaps({"rgb": half(drop, 0)})) for drop in (0.4, 0.2)
    )
    rows = np.flatnonzero((strong != weak).any(axis=(1, 2)))
    assert len(rows)
    assert rows.min() > 2 * 24 + 224


def test_pictures_are_written_below_their_folder_as_png(mean_model: MeanModel, tmp_path: Path) -> None:
    predictor = Predictor(mean_model(side=SIDE))
    pictures = ExplanationWriter(Explainer(predictor), tmp_path / "out")
    faces = [({"rgb": grey(level)}, Prediction(level / 255, 0.5)) for level in (50, 200)]
    file = pictures.write("../a/b.jpg", faces)
    assert file == tmp_path / "out/a/b.png"
    assert file.read_bytes().startswith(b"\x89PNG")
    height, width, _ = read_image(pictures.write("c.png", faces[:1])).shape
    assert read_image(file).shape == (2 * height, width, 3)
    np.testing.assert_array_equal(read_image(file)[:height], read_image(tmp_path / "out/c.png"))
    (tmp_path / "out/file").write_text("")
    with pytest.raises(FasError, match="cannot be written"):
        pictures.write("file/d.png", faces)
