"""Measure how long `fas` takes to start, against the imports that such a command cannot do without.

    python benchmarks/startup.py

Wall time of `fas --help` against importing click and rich, and of `fas predict MODEL.onnx face.png`, of a
FeatherNetB, against importing onnxruntime, OpenCV and NumPy. Commands run in turn, on an otherwise idle
machine. The exit code is 1 if a claim does not hold: ratios of medians below 4 and below 2.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import cv2
import numpy as np
from attrs import frozen
from inference import SIZE, build_random, export

from fas_core.command_cache import SETTLED

FAS = str(Path(sysconfig.get_path("scripts")) / "fas")


@frozen
class Comparison:
    """A command of `fas`, the modules whose import it is compared with, and the ratio that is claimed."""

    name: str
    command: Sequence[str]
    modules: str
    claim: float

    def run(self, repeat: int) -> bool:
        """Run both in turn, print their times, and return whether the claim holds."""
        imports = (sys.executable, "-c", f"import {self.modules}")
        commands = {self.name: self.command, f"import {self.modules}": imports}
        durations: dict[str, list[float]] = {name: [] for name in commands}
        measure_seconds(self.command)  # byte code is compiled
        sleep(SETTLED + 1)
        measure_seconds(self.command)  # plugins are remembered, now that their files are some seconds old
        for _ in range(repeat):
            for name, command in commands.items():
                durations[name].append(measure_seconds(command))
        for name, times in durations.items():
            print(f"{name:32} median {median(times) * 1e3:6.1f} ms  least {min(times) * 1e3:6.1f} ms")
        fas, imported = (median(times) for times in durations.values())
        print(f"ratio of medians {fas / imported:.2f}, claimed < {self.claim:g}")
        return fas < self.claim * imported


def measure_seconds(command: Sequence[str]) -> float:
    """Run a command and return its wall time in seconds."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=15, help="Starts of each command (default 15).")
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as name:
        face = str(Path(name) / "face.png")
        cv2.imwrite(face, np.random.default_rng(14).integers(0, 256, (SIZE, SIZE, 3), np.uint8))
        model = export(build_random("feathernet_b"), "onnx", "fp32", Path(name)).path
        predict = (FAS, "predict", str(model), face, "--no-detect")
        comparisons = (
            Comparison("fas --help", (FAS, "--help"), "click, rich.console", 4.0),
            Comparison("fas predict", predict, "onnxruntime, cv2, numpy", 2.0),
        )
        held = [comparison.run(repeat) for comparison in comparisons]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
