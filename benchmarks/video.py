"""Measure `fas predict` on a video of 1280 x 720: decoding alone, faces detected in each frame, or followed.

    python benchmarks/video.py model.onnx
    python benchmarks/video.py model.onnx --detector centerface --every 5 10

The model must take one modality. The video is of a drawn face that moves over a still room with noise of a
camera. All variants run in turn on two cores, so that a busy machine slows all alike, and speeds are compared
within each round. The boxes of followed faces are compared with those of faces that are detected. Linux only:
cores are chosen by affinity.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from math import cos, sin
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import cv2
import numpy as np

from fas_core.console import console
from fas_core.data.images import Image
from fas_core.data.video import frames
from fas_core.data.video_writer import writing_video
from fas_core.inference.predict_inputs import PictureOptions, PredictOptions, predict_inputs
from fas_core.runtime.prediction import FaceResult
from fas_core.runtime.tracking import measure_overlap

WIDTH, HEIGHT, RATE, CORES = 1280, 720, 30, 2
Timing = tuple[float, float]
"""Seconds, and CPU seconds."""


def draw_room(rng: np.random.Generator) -> Image:
    """Return a still background of smooth spots, (720, 1280, 3)."""
    small = rng.integers(60, 150, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))


def draw_face(image: Image, x: int, y: int, size: int) -> None:
    """Draw a face that OpenCV's cascade finds, half its height being `size`."""
    parts = [(0.0, 0.0, 0.75, 1.0, (200, 170, 150)), (0.0, 0.15, 0.12, 0.06, (150, 120, 110))]
    parts += [(side, -0.2, 0.17, 0.09, (50, 40, 40)) for side in (-0.32, 0.32)]
    parts += [(side, -0.38, 0.22, 0.05, (90, 70, 60)) for side in (-0.32, 0.32)]
    parts += [(0.0, 0.45, 0.3, 0.08, (120, 60, 60))]
    for dx, dy, w, h, colour in parts:
        centre = (x + round(dx * size), y + round(dy * size))
        axes = (round(w * size), round(h * size))
        cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)


def write_clip(path: Path, count: int) -> None:
    """Write a video of a face that walks about, comes nearer and goes away."""
    rng = np.random.default_rng(20)
    room = draw_room(rng)
    noise = rng.integers(-6, 7, (HEIGHT + 64, WIDTH + 64, 1), np.int16)
    with writing_video(path, RATE, WIDTH, HEIGHT) as write:
        for index in range(count):
            image, t = room.copy(), index / RATE
            draw_face(
                image,
                round(640 + 260 * sin(0.9 * t)),
                round(360 + 60 * sin(1.7 * t)),
                round(82 + 12 * cos(t)),
            )
            top, left = rng.integers(0, 64, 2)
            blurred = cv2.GaussianBlur(image, (7, 7), 2)
            seen = blurred + noise[top : top + HEIGHT, left : left + WIDTH]
            write(np.clip(seen, 0, 255).astype(np.uint8))


def take_time(run: Callable[[], object]) -> Timing:
    start, busy = perf_counter(), process_time()
    run()
    return perf_counter() - start, process_time() - busy


def compare_boxes(detected: list[FaceResult], followed: list[FaceResult]) -> tuple[int, list[float]]:
    """Return how many frames have a face in one of both only, and the overlaps of the boxes in the others."""
    pairs = [(one.box, other.box) for one, other in zip(detected, followed, strict=True)]
    overlaps = [measure_overlap(one, other) for one, other in pairs if one and other]
    return sum((one is None) != (other is None) for one, other in pairs), overlaps


def measure(arguments: argparse.Namespace, clip: Path, folder: Path) -> None:
    """Run all variants in turn, and print frames a second, CPU time, ratios and overlaps."""
    rows: dict[str, list[FaceResult]] = {}

    def predict(name: str, detect_every: int, annotated: Path | None = None) -> None:
        options = PredictOptions(detector=arguments.detector, threads=CORES, detect_every=detect_every)
        pictures = PictureOptions(annotated, videos=True)
        rows[name] = list(predict_inputs(arguments.model, [str(clip)], options, pictures).rows)

    first = "detected in each frame"
    variants: dict[str, Callable[[], object]] = {
        "decoded only": lambda: sum(1 for _ in frames(clip)),
        first: lambda: predict(first, 1),
    }
    for every in arguments.every:
        name = f"detected in each {every}th"
        variants[name] = partial(predict, name, every)
    name = f"{name}, annotated video"
    variants[name] = partial(predict, name, every, folder / "out")
    timings: dict[str, list[Timing]] = {name: [] for name in variants}
    for _ in range(arguments.repeat + 1):
        for name, run in variants.items():
            timings[name].append(take_time(run))
    for name, taken in timings.items():
        later = taken[1:]  # the first round fills caches
        speed = arguments.frames / median(seconds for seconds, _ in later)
        busy = 1e3 * median(cpu for _, cpu in later) / arguments.frames
        pairs = zip(timings[first][1:], later, strict=True)
        ratios = [slow[0] / fast[0] for slow, fast in pairs]
        line = f"{name:36} {speed:6.0f} frames/s {busy:6.1f} ms of CPU a frame {median(ratios):6.2f} x"
        print(f"{line} ({min(ratios):.2f} to {max(ratios):.2f})")
    for name in list(rows)[1:]:
        lacking, overlaps = compare_boxes(rows[first], rows[name])
        least = f"overlap of boxes {np.mean(overlaps):.3f} on average, {min(overlaps):.3f} at least"
        tracks = len({row.track for row in rows[name] if row.track is not None})
        print(f"{name}: {least}; {lacking} frames with a face in one only; {tracks} tracks")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--detector")
    parser.add_argument("--every", type=int, nargs="+", default=[5], help="Of --detect-every (default 5).")
    parser.add_argument("--frames", type=int, default=150, help="Length of the video (default 150).")
    parser.add_argument("--repeat", type=int, default=5, help="Rounds (default 5).")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    console.quiet = True
    with tempfile.TemporaryDirectory() as temporary:
        clip = Path(temporary) / "clip.mp4"
        write_clip(clip, arguments.frames)
        measure(arguments, clip, Path(temporary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
