"""Measure `fas predict` from the shell: cold start, and a folder of photos on one core and on two.

    python benchmarks/predict.py model.onnx
    python benchmarks/predict.py model.onnx --photos 2000

The model must take one modality. Commands run in turn, so that a busy machine slows all alike. They are
compared with `import torch` alone, and with a plain loop of cv2 and onnxruntime over the same folder on two
cores. Linux only: cores are chosen by affinity.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np

from fas_core.runtime import Predictor

FAS = str(Path(sysconfig.get_path("scripts")) / "fas")
SIDE = 256
PLAIN = """
import sys
from pathlib import Path
import cv2, numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
name, size = session.get_inputs()[0].name, int(sys.argv[3])
for path in sorted(Path(sys.argv[2]).iterdir()):
    image = cv2.resize(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), (size, size))
    session.run(["score"], {name: image[None]})
"""


def write_photos(folder: Path, count: int) -> None:
    """Write JPEGs of smooth noise, of the usual size of face crops."""
    rng = np.random.default_rng(14)
    for number in range(count):
        small = rng.integers(0, 256, (16, 16, 3), np.uint8)
        cv2.imwrite(
            str(folder / f"{number:05}.jpg"), cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        )


def run(command: list[str], cores: int | None = None) -> tuple[float, float]:
    """Run a command; return its seconds and peak resident memory in MB."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    start = perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, allowed)
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")
    return perf_counter() - start, usage.ru_maxrss / 1024


def run_in_turn(
    commands: dict[str, tuple[list[str], int | None]], repeat: int
) -> dict[str, list[tuple[float, float]]]:
    for command, cores in commands.values():  # once without measuring, to fill the system's file cache
        run(command, cores)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, (command, cores) in commands.items():
            results[name].append(run(command, cores))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--photos", type=int, default=10_000, help="Photos in the folder (default 10,000).")
    parser.add_argument("--repeat", type=int, default=9, help="Cold starts of each command (default 9).")
    parser.add_argument(
        "--folders", type=int, default=3, help="Runs of each command over the folder (default 3)."
    )
    arguments = parser.parse_args()
    model, size = str(arguments.model), Predictor(arguments.model).card.input.face_size
    with tempfile.TemporaryDirectory() as temporary:
        photos = Path(temporary) / "photos"
        photos.mkdir()
        write_photos(photos, arguments.photos)
        one = str(photos / "00000.jpg")
        starts = run_in_turn(
            {
                "fas predict, one photo": ([FAS, "predict", model, one], None),
                "import torch": ([sys.executable, "-c", "import torch"], None),
            },
            arguments.repeat,
        )
        for name, results in starts.items():
            seconds, memory = (median(column) for column in zip(*results, strict=True))
            print(f"{name:28} {seconds * 1e3:7.0f} ms  {memory:5.0f} MB")
        predict = [FAS, "predict", model, str(photos), "--csv", str(Path(temporary) / "scores.csv")]
        folders = run_in_turn(
            {
                "fas predict, one core": (predict, 1),
                "fas predict, two cores": (predict, 2),
                "plain loop, two cores": ([sys.executable, "-c", PLAIN, model, str(photos), str(size)], 2),
            },
            arguments.folders,
        )
    rates = {
        name: arguments.photos / median(seconds for seconds, _ in results)
        for name, results in folders.items()
    }
    for name, rate in rates.items():
        print(f"{name:28} {rate:7.0f} photos/s, start included")
    alone, both, plain = rates.values()
    print(f"two cores over one {both / alone:.2f}; over the plain loop {both / plain:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
