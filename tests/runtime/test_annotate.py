"""Annotated copies and their paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fas_core import DataError
from fas_core.runtime.annotate import ATTACK, LIVE, NOT_SCORED, annotate, check_output_paths, output_path
from fas_core.runtime.inputs import InputSample
from fas_core.runtime.predictor import FaceResult, Prediction


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
