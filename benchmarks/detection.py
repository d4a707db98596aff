"""Measure the face detectors on photos: faces found, false boxes, stability over resolutions, time per photo.

Usage: python benchmarks/detection.py NUAA [--samples FOLDER] [--yunet FILE] [--every 14]

NUAA is the raw database (ClientRaw/ and ImposterRaw/), SAMPLES a folder of further photos that are searched
at 1, 1.5, 2 and 6 times their size. A detector or a folder that is absent is skipped, with the reason.
CenterFace's largest box is the reference for the others; without it false boxes are not counted.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from fas_core.data.detectors import DEFAULTS, face_detector
from fas_core.data.faces import CropSettings, crop_face, largest
from fas_core.data.images import Box, Image, crop, read_image
from fas_core.errors import FasError
from fas_core.records.detected_face import DetectedFace
from fas_core.runtime.face_selection import MIN_SHARE

Detect = Callable[[Image], list[DetectedFace]]
SCALES = (1, 1.5, 2, 6)
MIN_OVERLAP = 0.3
"""Boxes of one face have at least this intersection over union."""


def build_plain_cascade() -> Detect:
    """Build the detector of fas 0.1: the cascade at the photo's own resolution, unchecked."""
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data/haarcascade_frontalface_alt2.xml"))

    def detect(image: Image) -> list[DetectedFace]:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        side = max(min(grey.shape) // 8, 24)
        boxes = cascade.detectMultiScale(grey, 1.1, 3, minSize=(side, side))
        return [DetectedFace((float(x), float(y), float(w), float(h))) for x, y, w, h in boxes]

    return detect


def build_detectors(yunet: str | None) -> dict[str, Detect]:
    """Return the detectors at hand by name; print why another is not."""
    detectors: dict[str, Detect] = {"cascade, fas 0.1": build_plain_cascade()}
    for name, choice in {**dict(zip(DEFAULTS, DEFAULTS, strict=True)), "yunet": yunet}.items():
        if choice is None:
            print(f"skipped: {name}: no --yunet FILE")
            continue
        try:
            detectors[name] = face_detector(choice)
        except FasError as error:
            print(f"skipped: {name}: {error}")
    return detectors


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def cover(photo: Image, faces: Iterable[DetectedFace]) -> Image:
    """Return a copy with every face and a third of its size around it painted grey."""
    copy = photo.copy()
    for face in faces:
        x, y, w, h = (round(value) for value in face.box)
        copy[max(y - h // 3, 0) : y + h + h // 3, max(x - w // 3, 0) : x + w + w // 3] = 128
    return copy


def describe_shares(faces: Sequence[DetectedFace | None], images: Sequence[Image]) -> str:
    """Return the quantiles of the share of the image that the face's box covers."""
    shares = [
        face.box[2] * face.box[3] / (image.shape[0] * image.shape[1])
        for face, image in zip(faces, images, strict=True)
        if face is not None
    ]
    low, first, middle, last, high = np.quantile(shares, [0, 0.01, 0.5, 0.99, 1])
    above = np.mean(np.array(shares) >= MIN_SHARE)
    quantiles = f"min {low:.3f}, 1 % {first:.3f}, median {middle:.3f}, 99 % {last:.3f}, max {high:.3f}"
    return f"{quantiles}; {above:.2%} as it is"


def measure_nuaa(root: Path, detectors: dict[str, Detect], every: int) -> None:
    """Print the figures of every n-th raw photo."""
    paths = sorted(path for kind in ("ClientRaw", "ImposterRaw") for path in (root / kind).rglob("*.jpg"))[
        ::every
    ]
    photos = [read_image(path) for path in paths]
    print(f"NUAA: {len(photos)} photos")
    results: dict[str, list[list[DetectedFace]]] = {}
    for name, detect in detectors.items():
        start = time.perf_counter()
        results[name] = [detect(photo) for photo in photos]
        seconds = time.perf_counter() - start
        count = sum(map(bool, results[name]))
        print(f"{name}: found in {count}, {1000 * seconds / len(photos):.0f} ms a photo", flush=True)
    reference = results.get(DEFAULTS[0])
    if reference is None:
        return
    boxes = [largest(faces) for faces in reference]
    for name, faces in results.items():
        pairs = [(largest(one), box) for one, box in zip(faces, boxes, strict=True) if one and box]
        wrong = sum(overlap(face.box, box.box) < MIN_OVERLAP for face, box in pairs if face)
        print(f"{name}: largest box elsewhere than CenterFace's {wrong}")
    covered = [cover(photo, faces) for photo, faces in zip(photos, reference, strict=True)][::3]
    settings = CropSettings()
    crops = [
        crop_face({"rgb": photo}, box, settings)[1]["rgb"]
        for photo, box in zip(photos, boxes, strict=True)
        if box
    ]
    tight = [
        crop(
            photo,
            (
                box.box[0] + 0.08 * box.box[2],
                box.box[1] + 0.08 * box.box[3],
                0.84 * box.box[2],
                0.84 * box.box[3],
            ),
        )
        for photo, box in zip(photos, boxes, strict=True)
        if box
    ][::3]
    for name, detect in detectors.items():
        false = sum(bool(detect(one)) for one in covered)
        print(f"{name}: faces in {len(covered)} photos whose faces are covered: {false}")
        print(f"{name}: faces in {len(tight)} tight crops: {sum(bool(detect(one)) for one in tight)}")
        found = [largest(detect(one)) for one in crops[::3]]
        print(
            f"{name}: faces in {len(found)} crops of fas data crop: {sum(one is not None for one in found)}"
        )
        print(f"{name}: share of crops: {describe_shares(found, crops[::3])}")
        print(
            f"{name}: share of photos: {describe_shares([largest(one) for one in results[name]], photos)}",
            flush=True,
        )


def measure_samples(root: Path, detectors: dict[str, Detect]) -> None:
    """Print how well the largest boxes at several scales agree with CenterFace's (or its own) at scale 1."""
    paths = sorted(path for path in root.iterdir() if path.suffix == ".jpg" and "result" not in path.name)
    reference = detectors.get(DEFAULTS[0])
    for name, detect in detectors.items():
        rows = []
        for path in paths:
            photo = read_image(path)
            expected = largest((reference or detect)(photo))
            own = largest(detect(photo))
            for scale in SCALES:
                copy = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
                start = time.perf_counter()
                face = largest(detect(np.asarray(copy)))
                seconds = time.perf_counter() - start
                box = face and tuple(value / scale for value in face.box)
                right = box is not None and expected is not None and overlap(box, expected.box) >= MIN_OVERLAP
                same = overlap(box, own.box) if box and own else 0.0
                rows.append((box is not None, right, same, seconds))
        found, right, same, seconds = (np.array(column) for column in zip(*rows, strict=True))
        print(
            f"{name}: {len(rows)} photos and scales: found {found.sum()}, right {right.sum()}, "
            f"least overlap with its box at scale 1 {same.min():.2f}, {1000 * np.median(seconds):.0f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("nuaa", type=Path)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--yunet")
    parser.add_argument("--every", type=int, default=14)
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, OpenCV {cv2.__version__}, one thread")
    detectors = build_detectors(arguments.yunet)
    if arguments.samples is None or not arguments.samples.is_dir():
        print(f"skipped: sample photos: no folder {arguments.samples}")
    else:
        measure_samples(arguments.samples, detectors)
    if not (arguments.nuaa / "ClientRaw").is_dir():
        print(f"skipped: NUAA: no ClientRaw in {arguments.nuaa}")
    else:
        measure_nuaa(arguments.nuaa, detectors, arguments.every)


if __name__ == "__main__":
    main()
