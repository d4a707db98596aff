"""Measure how fast `fas` trains and evaluates on a CPU, against training as published projects do it.

    python benchmarks/training.py
    python benchmarks/training.py --quick  # shows that all runs; its figures are of too few images

FeatherNetB, 224 x 224 pixels, batches of 32, JPEG files of 256 x 256 pixels that the benchmark writes. The
reference is `benchmarks/training_reference.py`, what `fas` does is in `benchmarks/training_fas.py`. Each is a
process that measures all its figures; the processes run in turn, so that a busy machine slows all alike. A
ratio is the median of those of each turn. The exit code is 1 if a claim does not hold.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from attrs import frozen

SIDE = 256
MODALITIES = ("rgb", "depth", "ir")
HERE = Path(__file__).parent
Figures = dict[str, dict[str, float]]
"""Images/s, or samples/s, of one turn: `{process: {what: figure}}`."""


@frozen
class Claim:
    """A ratio of a turn's figures, and the least that its median may be."""

    text: str
    least: float
    ratio: Callable[[Figures], float]


CLAIMS = (
    Claim(
        "training end to end / the reference's",
        2.0,
        lambda f: f["fas"]["training"] / f["reference"]["training"],
    ),
    Claim("training end to end / its step alone", 0.9, lambda f: f["fas"]["training"] / f["fas"]["step"]),
    Claim(
        "training on three modalities / a third of the reference's on one",
        2.0,
        lambda f: 3 * f["fas"]["three"] / f["reference"]["training"],
    ),
    Claim(
        "evaluation / the reference's", 2.0, lambda f: f["fas"]["evaluation"] / f["reference"]["evaluation"]
    ),
    Claim(
        "step / with the system's default for memory", 1.2, lambda f: f["fas"]["step"] / f["default"]["step"]
    ),
)


def write_samples(folder: Path, train: int, dev: int) -> None:
    """Write samples of three JPEGs of smooth noise with some grain, and the manifests of one and three."""
    rng = np.random.default_rng(14)
    rows = []
    for number in range(train + dev):
        row = {"split": "train" if number < train else "dev", "label": ("attack", "live")[number % 2]}
        for name in MODALITIES:
            smooth = cv2.resize(rng.integers(0, 256, (16, 16, 3), np.uint8), (SIDE, SIDE))
            image = cv2.add(smooth, rng.integers(0, 16, smooth.shape, np.uint8))
            row[name] = f"{number:04}_{name}.jpg"
            cv2.imwrite(str(folder / row[name]), image)
        rows.append(row)
    for name, columns, samples in (
        ("one.csv", ("split", "label", "depth"), rows),
        ("three.csv", ("split", "label", *MODALITIES), rows[: train // 2]),
    ):
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(samples)


def run(script: str, *arguments: str, **environment: str) -> dict[str, float]:
    """Run a script of this folder, with PyTorch's default of threads and memory; return its figures."""
    settings = ("MALLOC_", "GLIBC_TUNABLES", "THP_", "OMP_", "MKL_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    command = [sys.executable, str(HERE / script), *arguments]
    process = subprocess.run(command, env=clean | environment, stdout=subprocess.PIPE, text=True)
    if process.returncode:
        sys.exit(process.returncode)  # the process printed the reason
    figures: dict[str, float] = json.loads(process.stdout)
    return figures


def measure(folder: Path, steps: int) -> Figures:
    """Return the figures of one turn."""
    options = (str(folder), f"--steps={steps}")
    return {
        "reference": run("training_reference.py", *options),
        "fas": run("training_fas.py", *options),
        # A variable that changes nothing, but says that the allocator was configured.
        "default": run("training_fas.py", *options, "--only-steps", MALLOC_PERTURB_="0"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="One turn of few images; claims are not held.")
    parser.add_argument("--turns", type=int, default=4, help="Times that each process runs (default 4).")
    parser.add_argument("--images", type=int, default=384, help="Images of train, and of dev (default 384).")
    arguments = parser.parse_args()
    images = arguments.images
    train, dev, steps, turns = (64, 32, 1, 1) if arguments.quick else (images, images, 8, arguments.turns)
    with tempfile.TemporaryDirectory() as name:
        write_samples(Path(name), train, dev)
        figures = [measure(Path(name), steps) for _ in range(turns)]
    for process, values in figures[0].items():
        for what in values:
            rates = sorted(turn[process][what] for turn in figures)
            print(f"{process:9} {what:10} {median(rates):6.1f} /s  ({rates[0]:.1f} to {rates[-1]:.1f})")
    holds = True
    for claim in CLAIMS:
        ratio = median(claim.ratio(turn) for turn in figures)
        holds &= ratio >= claim.least
        verdict = "holds" if ratio >= claim.least else "DOES NOT HOLD"
        print(f"{ratio:5.2f}  {claim.text}: at least {claim.least:g} {verdict}")
    return 0 if holds or arguments.quick else 1


if __name__ == "__main__":
    sys.exit(main())
