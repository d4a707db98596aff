"""The contract check of detectors accepts ours and names what others break."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fas_core import DetectedFace
from fas_core.testing import ContractError, check_detector

Provide = Callable[..., str]
FACE = DetectedFace((1.0, 2.0, 30.0, 40.0))


def test_the_cascade_passes_and_finds_the_face(photo_with: Callable[..., Any]) -> None:
    check_detector("cascade", photo=photo_with((200, 110, 70)))


def find_nothing(image: Any) -> list[DetectedFace]:
    return []


def paint(image: Any) -> list[DetectedFace]:
    image[:2] = 7
    return []


def need_even_sides(image: Any) -> list[DetectedFace]:
    if image.shape[0] % 2:
        raise ValueError("odd")
    return []


def number_faces() -> Callable[[Any], list[DetectedFace]]:
    numbers = itertools.count(1)
    return lambda image: [DetectedFace((0.0, 0.0, 9.0, float(next(numbers))))]


@pytest.mark.parametrize(
    ("search", "landmarks", "broken", "message"),
    [
        (find_nothing, True, "faces", "found no face in the photo"),
        (paint, True, "searches alike", "changed the pixels"),
        (need_even_sides, True, "call", r"searching an image of \(37, 53, 3\) raised ValueError: odd"),
        (number_faces(), False, "searches alike", "found other faces when it searched the same images"),
        (lambda image: [(1, 2, 3, 4)], False, "faces", r"gave \(1, 2, 3, 4\), no fas_core.DetectedFace"),
        (
            lambda image: [DetectedFace((1.0, 2.0, 0.0, 4.0))],
            False,
            "faces",
            "box .* must be finite x, y, w, h",
        ),
        (
            lambda image: [DetectedFace((1.0, 2.0, float("nan"), 4.0))],
            False,
            "faces",
            "box .*nan.* must be finite",
        ),
        (lambda image: [FACE], True, "faces", "0 landmarks, and its descriptor says that it finds five"),
        (3, True, "call", "target gave 3, which is not callable"),
    ],
)
def test_a_broken_detector_is_named(
    provide: Provide, photo_with: Any, search: Any, landmarks: bool, broken: str, message: str
) -> None:
    name = provide("detector", lambda options, model: search, landmarks=landmarks)
    with pytest.raises(ContractError, match=f"broken: {message}") as failure:
        check_detector(name, photo=photo_with((200, 110, 70)))
    assert failure.value.rule == broken


def test_the_model_is_the_file_that_is_given(provide: Provide, tmp_path: Path) -> None:
    opened = []

    def open_detector(options: object, model: Path) -> Callable[[Any], list[DetectedFace]]:
        opened.append(model)
        return find_nothing

    name = provide("detector", open_detector, suffixes=(".bin",))
    check_detector(name, model=tmp_path / "net.bin")
    assert opened == [tmp_path / "net.bin"]
    with pytest.raises(ContractError, match=r"broken needs a model: give broken:FILE \(\.bin\)"):
        check_detector(name)
