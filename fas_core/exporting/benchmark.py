"""How fast exported files are beside eager PyTorch on this machine, and which of them to take.

All are called in one process, ten times each in turn, so that a busy machine slows all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from attrs import frozen

from fas_core.contracts import Exported, Images
from fas_core.data.model_formats import find_runtime
from fas_core.exporting.cpu import Cpu, describe_cpu
from fas_core.models.model import Model, torch_threads
from fas_core.runtime import ModelFile

EAGER = "eager PyTorch"

IN_A_ROW = 10
"""Calls of one kind before the next has its turn, as for the frames of a camera; the first is not counted."""

REPEATS, SECONDS, LEAST_TURNS = 100, 30.0, 3
"""Each is called so often, or fewer times where that would take longer, but not in fewer turns."""

ACER_LOSS = 0.002
"""How much higher the ACER of a recommended file may be than the model's by default, as a fraction."""

Call = Callable[[], Any]
Clock = Callable[[], float]


@frozen
class Speed:
    """How fast a file is.

    Args:
        name: format and form, e.g. `openvino int8`.
        milliseconds: median of one sample a call, from its pixels to the score, on one thread.
        ratio: how many times faster than eager PyTorch.
        acer: of the file on dev, as a fraction; None where it is not known.
        acer_change: `acer` less that of the model.
    """

    name: str
    path: Path
    milliseconds: float
    ratio: float
    acer: float | None = None
    acer_change: float | None = None

    def text(self) -> str:
        """Return e.g. `openvino int8: 9.4 x, ACER +0.1 points`."""
        change = self.acer_change
        cost = "ACER not known" if change is None else f"ACER {100 * change + 0.0:+.1f} points"
        return f"{self.name}: {self.ratio:.1f} x, {cost}"


@frozen
class Benchmark:
    """How fast the files are.

    Args:
        eager: milliseconds of eager PyTorch.
        best: the file to take; None where none may be.
        acer_loss: how much higher its ACER may be than the model's, as a fraction.
    """

    cpu: Cpu
    eager: float
    files: tuple[Speed, ...]
    best: Speed | None
    acer_loss: float = ACER_LOSS

    def advice(self) -> str:
        """Return which file to take, or why none."""
        if self.best is None:
            limit = f"{100 * self.acer_loss:g} points"
            return f"recommended: none: the ACER of every file is more than {limit} above the model's"
        return f"recommended: {self.best.text()}"

    def to_json(self) -> dict[str, Any]:
        features = None if self.cpu.features is None else list(self.cpu.features)
        return {
            "cpu": {"name": self.cpu.name, "features": features},
            "threads": 1,
            "eager_milliseconds": self.eager,
            "files": [
                {
                    "name": item.name,
                    "path": str(item.path),
                    "milliseconds": item.milliseconds,
                    "ratio": item.ratio,
                    "acer": item.acer,
                    "acer_change": item.acer_change,
                }
                for item in self.files
            ],
            "recommended": None if self.best is None else str(self.best.path),
            "recommendation": None if self.best is None else self.best.text(),
        }


def benchmark_files(
    model: Model, images: Images, files: Mapping[str, Exported], acer_loss: float = ACER_LOSS
) -> Benchmark:
    """Measure a model, in eval mode on the CPU, and its exported files.

    Args:
        images: one sample, `{modality: uint8 (1, S, S, 3)}`.
        files: by format and form; those that no installed runtime opens are left out.
        acer_loss: as of `recommend`.
    """
    opened = {name: item for name, item in files.items() if find_runtime(item.path) is not None}
    calls = {name: call_file(item.path, images) for name, item in opened.items()}
    with torch_threads(1):
        medians = measure({EAGER: call_eager(model, images), **calls})
    eager = medians.pop(EAGER)
    speeds = tuple(describe_speed(name, opened[name], time, eager) for name, time in medians.items())
    return Benchmark(describe_cpu(), eager, speeds, recommend(speeds, acer_loss), acer_loss)


def describe_speed(name: str, exported: Exported, milliseconds: float, eager: float) -> Speed:
    """Return a file's speed with its ACER, which its verification found."""
    before, after = exported.verification.acer_before, exported.verification.acer_after
    change = None if before is None or after is None else after - before
    return Speed(name, exported.path, milliseconds, eager / milliseconds, after, change)


def recommend(files: Sequence[Speed], acer_loss: float = ACER_LOSS) -> Speed | None:
    """Return the fastest file whose ACER is at most `acer_loss` above the model's; None where none is.

    Where the ACER of no file is known, the fastest of all. Else those of unknown ACER are left out.
    """
    known = [item for item in files if item.acer_change is not None]
    allowed = [item for item in known if (item.acer_change or 0) <= acer_loss + 1e-12] if known else files
    return max(allowed, key=lambda item: item.ratio, default=None)


def call_eager(model: Model, images: Images) -> Call:
    """Return a call of a network in eager PyTorch, as published code runs it."""

    def score() -> float:
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(image) for name, image in images.items()}
            return float(model(tensors).score)

    return score


def call_file(path: Path, images: Images) -> Call:
    """Return a call of a file that this process wrote, on one thread."""
    model = ModelFile(path, threads=1, trusted=True)
    return lambda: model(images)


def measure(
    calls: Mapping[str, Call],
    repeat: int = REPEATS,
    seconds: float = SECONDS,
    clock: Clock = perf_counter,
) -> dict[str, float]:
    """Return the median milliseconds of each call; the first turn, and the first call of a turn, are warm-up.

    Args:
        repeat: calls of each that count; fewer where all would take longer than `seconds`.
        clock: gives seconds.
    """
    durations: dict[str, list[float]] = {name: [] for name in calls}
    begin, turns = clock(), 1 + -(-repeat // (IN_A_ROW - 1))
    for turn in range(turns):
        if turn >= LEAST_TURNS and clock() - begin > seconds:
            break
        for name, call in calls.items():
            for position in range(IN_A_ROW):
                start = clock()
                call()
                if turn and position:
                    durations[name].append(1e3 * (clock() - start))
    return {name: median(times) for name, times in durations.items()}
