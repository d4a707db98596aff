"""Faces followed over drawn frames, whose boxes are known, with a detector that knows them, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core.records.detected_face import DetectedFace
from fas_core.runtime.tracking import PATIENCE, FaceTracker, measure_overlap

Image = NDArray[np.uint8]
Drawn = tuple[int, int, int]
"""x, y of the centre of a drawn face, and half its height."""


def face_of(drawn: Drawn) -> DetectedFace:
    x, y, size = drawn
    eyes = tuple((x + side * 0.32 * size, y - 0.2 * size) for side in (-1, 1))
    return DetectedFace((x - 0.75 * size, y - size, 1.5 * size, 2.0 * size), (*eyes, (x, y), (x, y), (x, y)))


class Film:
    """Draws frames, and detects what is in the one that was drawn last."""

    def __init__(self, photo_with: Callable[..., Image], shape: tuple[int, int] = (240, 320)) -> None:
        self.photo_with, self.shape = photo_with, shape
        self.noise = np.random.default_rng(5).integers(-30, 30, (*shape, 3))
        self.drawn: Sequence[Drawn] = ()
        self.calls = 0
        self.tracker = FaceTracker(self.detect)

    def detect(self, _: Image) -> list[DetectedFace]:
        self.calls += 1
        return [face_of(drawn) for drawn in self.drawn]

    def draw(self, *drawn: Drawn) -> Image:
        self.drawn = drawn
        photo = self.photo_with(*drawn, shape=self.shape)
        background = (photo == 120).all(-1, keepdims=True)
        return np.asarray(np.clip(photo + self.noise * background, 0, 255), np.uint8)

    def show(self, *drawn: Drawn, detected: bool = False) -> dict[int, tuple[float, ...]]:
        """Return the boxes of the next frame; with `detected` the frame's faces are told."""
        image = self.draw(*drawn)
        faces = [face_of(each) for each in drawn] if detected else None
        return {number: face.box for number, face in self.tracker.follow(image, faces).items()}


@pytest.fixture
def film(photo_with: Callable[..., Image]) -> Film:
    return Film(photo_with)


def error(box: tuple[float, ...], drawn: Drawn) -> float:
    return max(abs(a - b) for a, b in zip(box, face_of(drawn).box, strict=True))


def test_a_moving_face_keeps_its_track_and_its_box_while_nothing_is_detected(film: Film) -> None:
    for index in range(20):
        drawn = (80 + 5 * index, 110 + index, 45)
        boxes = film.show(drawn, detected=index % 10 == 0)
        assert list(boxes) == [1]
        assert error(boxes[1], drawn) < 4, "pixels, of a face of 68 x 90"
    assert film.calls == 0


def test_the_box_of_a_face_that_comes_nearer_grows(film: Film) -> None:
    for index in range(10):
        drawn = (150, 115, 45 + index)
        boxes = film.show(drawn, detected=index == 0)
        assert error(boxes[1], drawn) < 5
    assert film.calls == 0
    assert boxes[1][2] > 75


def test_a_large_frame_is_followed_on_a_small_copy(photo_with: Callable[..., Image]) -> None:
    film = Film(photo_with, (480, 640))
    for index in range(4):
        drawn = (201 + 13 * index, 230, 90)
        boxes = film.show(drawn, detected=index == 0)
        assert error(boxes[1], drawn) < 3
    assert film.calls == 0


def test_landmarks_move_with_the_face(film: Film) -> None:
    film.tracker.follow(film.draw((100, 110, 45)), [face_of((100, 110, 45))])
    face = film.tracker.follow(film.draw((108, 114, 45)))[1]
    assert face.landmarks is not None
    np.testing.assert_allclose(face.landmarks, face_of((108, 114, 45)).landmarks, atol=1.5)


def test_a_video_begins_with_a_detection(film: Film) -> None:
    assert list(film.show((100, 110, 45))) == [1]
    assert film.calls == 1


def test_detected_faces_are_returned_as_they_are(film: Film) -> None:
    faces = [DetectedFace((10.25, 20.5, 50, 60), confidence=0.5), DetectedFace((200, 100, 40, 40))]
    assert film.tracker.follow(film.draw(), faces) == {1: faces[0], 2: faces[1]}
    assert film.tracker.follow(film.draw(), faces[::-1]) == {2: faces[1], 1: faces[0]}
    assert film.tracker.follow(film.draw(), []) == {}


def test_faces_that_pass_each_other_keep_their_numbers(film: Film) -> None:
    for index in range(16):
        left, right = (60 + 12 * index, 70, 30), (260 - 12 * index, 175, 30)
        boxes = film.show(left, right, detected=index % 8 == 0)
        assert error(boxes[1], left) < 4
        assert error(boxes[2], right) < 4


def test_a_face_behind_another_is_lost_and_found(film: Film) -> None:
    """The first face walks behind the second: its track must not stay on the second one."""
    front, numbers = (160, 120, 50), []
    for index in range(24):
        back = (30 + 11 * index, 116, 38)
        hidden = abs(back[0] - front[0]) < 45
        film.drawn = [front] if hidden else [front, back]
        image = film.draw(*([] if hidden else [back]), front)
        film.drawn = [front] if hidden else [front, back]
        faces = film.tracker.follow(image, film.detect(image) if index % 6 == 0 else None)
        boxes = [face.box for face in faces.values()]
        assert error(faces[2].box, front) < 4
        assert all(measure_overlap(a, b) < 0.5 for a in boxes for b in boxes if a is not b)
        numbers.append(len(faces))
    assert (numbers[0], numbers[-1], min(numbers)) == (2, 2, 1)


def test_a_face_that_leaves_is_looked_for_a_while_and_then_forgotten(film: Film) -> None:
    stays, shown = (60, 110, 40), []
    for index in range(PATIENCE + 14):
        x = 250 + 14 * index
        shown.append(list(film.show(stays, *[(x, 110, 45)] if x < 330 else [], detected=index == 0)))
    assert (shown[0], shown[-1]) == ([1, 2], [1])
    assert PATIENCE <= film.calls <= PATIENCE + 3
    calls = film.calls
    assert list(film.show(stays, (200, 110, 45))) == [1], "not a frame that is searched"
    assert film.calls == calls
    _, number = film.show(stays, (200, 110, 45), detected=True)
    assert all(number not in numbers for numbers in shown)


def test_where_there_is_no_face_to_follow_each_frame_is_searched(film: Film) -> None:
    assert [film.show() for _ in range(4)] == [{}] * 4
    assert list(film.show((100, 110, 45))) == [1]
    assert film.calls == 5
    assert list(film.show((102, 110, 45))) == [1]
    assert film.calls == 5


def test_after_a_cut_there_is_a_new_track(film: Film) -> None:
    film.show((100, 110, 45), detected=True)
    film.show((103, 110, 45))
    film.noise = film.noise[::-1, ::-1]
    boxes = film.show((220, 120, 60))
    assert film.calls == 1
    assert list(boxes) == [2]
    assert error(boxes[2], (220, 120, 60)) == 0
    assert list(film.show((222, 120, 60))) == [2]


@pytest.mark.parametrize("detected", [True, False])
def test_another_picture_in_the_same_place_is_a_new_track(film: Film, detected: bool) -> None:
    drawn = (150, 110, 60)
    film.show(drawn, detected=True)
    upside_down = film.draw(drawn)[::-1]
    box = (105.0, 70.0, 90.0, 120.0)
    film.detect = lambda _: [DetectedFace(box)]  # type: ignore[method-assign]
    film.tracker._detect = film.detect
    faces = film.tracker.follow(upside_down, film.detect(upside_down) if detected else None)
    assert [(number, face.box) for number, face in faces.items()] == [(2, box)]


def test_a_face_that_one_detection_misses_keeps_its_number(film: Film) -> None:
    film.show((100, 110, 45), detected=True)
    image = film.draw((102, 110, 45))
    assert film.tracker.follow(image, []) == {}
    assert list(film.show((104, 110, 45))) == [1], "the next frame is searched, whether its turn or not"
    assert film.calls == 1


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 10, 10), 1.0), ((5, 0, 10, 10), 1 / 3), ((10, 0, 5, 5), 0.0), ((2, 2, 5, 4), 0.2)],
)
def test_overlap(other: Any, expected: float) -> None:
    assert measure_overlap((0, 0, 10, 10), other) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (9, 500), (700, 5)])
def test_frames_of_any_size_and_of_another_one(film: Film, shape: tuple[int, int]) -> None:
    film.show((100, 110, 45), detected=True)
    height, width = shape
    film.detect = lambda _: [DetectedFace((0.0, 0.0, float(width), float(height)))]  # type: ignore[method-assign]
    film.tracker._detect = film.detect
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    for _ in range(3):
        faces = film.tracker.follow(image)
        assert [face.box for face in faces.values()] == [(0.0, 0.0, width, height)]
