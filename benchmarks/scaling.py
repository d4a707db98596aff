"""How training scales over processes: `python benchmarks/scaling.py measure` and `... size`.

`measure` trains FeatherNetB on simulated faces by one process and by two, of one thread each, and prints the
images/s of the second epoch. `size` simulates an epoch from the rates of reading and of a step, which you
measure on your machine, and prints hours by images and accelerators.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from attrs import frozen

STEPS = 2000
"""Steps that are simulated; an epoch has as many as it needs, at their mean duration."""


@frozen
class Rates:
    """What one accelerator, and what feeds it, does.

    Args:
        batch: samples of a step on one accelerator.
        step: images/s of a step.
        reading: images/s that one process reads and augments.
        workers: processes that read for one accelerator.
        exchange: seconds that averaging gradients adds to a step of several accelerators.
        spread: standard deviation of the logarithm of a duration; 0.1 is about 10 %.
    """

    batch: int
    step: float
    reading: float
    workers: int
    exchange: float
    spread: float


def simulate_step(rates: Rates, accelerators: int, rng: np.random.Generator) -> float:
    """Return the mean seconds of a step, which begins when each accelerator has its batch and is free.

    Batches wait in a queue of two a worker, as PyTorch's loader keeps; all wait for the slowest accelerator.
    """
    shape = (STEPS, accelerators)
    reads = rates.batch / (rates.reading * rates.workers) * rng.lognormal(0, rates.spread, shape)
    steps = rates.batch / rates.step * rng.lognormal(0, rates.spread, shape)
    depth = 2 * rates.workers
    ready, begun, end = np.zeros(accelerators), np.zeros(shape), 0.0
    for index in range(STEPS):
        free = begun[index - depth] if index >= depth else np.zeros(accelerators)  # a place in the queue
        ready = np.maximum(ready, free) + reads[index]
        begun[index] = np.maximum(ready, end)
        end = float((begun[index] + steps[index]).max()) + rates.exchange * (accelerators > 1)
    return end / STEPS


def print_sizes(rates: Rates) -> None:
    """Print hours per epoch by images and accelerators, and the efficiency of the accelerators."""
    print(rates)
    print("accelerators  images/s efficiency  hours per epoch of: 1 M     10 M    100 M images")
    single = 0.0
    for accelerators in (1, 2, 4, 8, 16, 32, 64):
        seconds = simulate_step(rates, accelerators, np.random.default_rng(accelerators))
        speed = rates.batch * accelerators / seconds
        single = single or speed
        hours = " ".join(f"{count / speed / 3600:8.2f}" for count in (1e6, 1e7, 1e8))
        print(f"{accelerators:12} {speed:9.0f} {100 * speed / single / accelerators:8.0f} % {'':15}{hours}")


def measure(size: int, batch: int, people: int) -> None:
    """Train by one process and by two, in turn, three times; print images/s and their ratio."""
    for _ in range(3):
        speeds = [train(processes, size, batch, people) for processes in (1, 2)]
        print(
            f"1 process {speeds[0]:.1f}, 2 processes {speeds[1]:.1f} images/s: {speeds[1] / speeds[0]:.2f} x"
        )


def train(processes: int, size: int, batch: int, people: int) -> float:
    """Return the images/s of the second of two epochs."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    options = [
        f"--input-size={size}",
        "--epochs=2",
        f"--batch-size={batch}",
        "--workers=0",
        "--set=train.judge_every=2",
    ]
    options += [f"--set=data.subjects={people}", "--device=cpu"]
    with tempfile.TemporaryDirectory() as folder:
        command = [*launch, "-m", "fas_core", "train", "quickstart", "--name=run", *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        lines = (Path(folder) / "runs" / "run" / "metrics.jsonl").read_text().splitlines()
    return float(json.loads(lines[-1])["images_per_second"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--size", type=int, default=128, help="side of the input in pixels")
    measuring.add_argument("--batch", type=int, default=32, help="of all processes together")
    measuring.add_argument("--people", type=int, default=18, help="subjects that are simulated")
    sizing = commands.add_parser("size")
    sizing.add_argument("--batch", type=int, default=256, help="of one accelerator")
    sizing.add_argument("--step", type=float, required=True, help="images/s of a step on one accelerator")
    sizing.add_argument("--reading", type=float, required=True, help="images/s that one process reads")
    sizing.add_argument("--workers", type=int, default=8, help="processes that read for one accelerator")
    sizing.add_argument("--exchange", type=float, default=0.005, help="seconds to average gradients")
    sizing.add_argument("--spread", type=float, default=0.1, help="relative spread of durations")
    options = vars(parser.parse_args())
    if options.pop("command") == "measure":
        measure(**options)
    else:
        print_sizes(Rates(**options))


if __name__ == "__main__":
    main()
