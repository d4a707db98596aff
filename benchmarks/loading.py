"""Measure what reading a training image costs: whole, at a reduced scale, from the cache of decoded faces.

    python benchmarks/loading.py

Photos of scikit-learn are enlarged, get a sensor's noise, and are written as JPEGs. The same epochs of the
training loader are read in each form, in turn, by one process; times are of the processor, so that other load
matters little, and files come from the system's memory. Then: what pixels reduced decoding changes, what
colour noise costs, and the memory of four processes that read. Linux only; needs the extra `train`.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterable
from multiprocessing import active_children
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import cv2
import numpy as np
import torch
from attrs import evolve
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from fas_core.config.recipe import Augment, Recipe
from fas_core.console import console
from fas_core.data import reduced_decoding
from fas_core.data.augment import Augmentations
from fas_core.data.loader import training_loader
from fas_core.data.training_faces import TrainingFaces
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.training.process import keep_freed_memory
from fas_plugins.augmentations.light import add_colour_noise

Image = NDArray[np.uint8]
NOISE, QUALITY = 3, 92
PROCESSES, REPEAT = 4, 3


def write_photos(folder: Path, side: int, count: int) -> SampleTable:
    """Write square photos, each another part of a real one, and return them as a table."""
    rng = np.random.default_rng(side)
    originals = [np.asarray(image) for image in load_sample_images().images]
    for number in range(count):
        original = originals[number % len(originals)]
        height, width = original.shape[:2]
        top, left = rng.integers(height // 2), rng.integers(width - height // 2)
        part = original[top : top + height // 2, left : left + height // 2]
        photo = cv2.resize(part, (side, side), interpolation=cv2.INTER_CUBIC)
        photo = np.clip(photo + rng.normal(0, NOISE, photo.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    names = [f"{number}.jpg" for number in range(count)]
    columns = {"id": names, "label": [number % 2 for number in range(count)], "rgb": names}
    return SampleTable.of(columns, modalities=["rgb"], root=folder)


def make_recipe(size: int, **train: Any) -> Recipe:
    plain = Recipe(modalities=("rgb",))
    train = {"workers": 0, "batch_size": 25, **train}
    return evolve(plain, model=evolve(plain.model, input_size=size), train=evolve(plain.train, **train))


def make_faces(samples: SampleTable, recipe: Recipe) -> TrainingFaces:
    return TrainingFaces(samples, recipe, ("rgb",), Augmentations.build(recipe, registry(), ("rgb",)))


def measure_seconds(read: Callable[[], object]) -> float:
    """Return seconds of the processor."""
    start = process_time()
    read()
    return process_time() - start


def measure_epoch(samples: SampleTable, recipe: Recipe, epoch: int) -> float:
    """Return seconds of the processor that reading takes; building the loader does not count."""
    loader = training_loader(samples, recipe, epoch=epoch)
    return measure_seconds(lambda: list(loader))


def compare_forms(samples: SampleTable, size: int, caches: Path) -> None:
    """Print images/s of each form, and bytes on disk."""
    seconds: dict[str, list[float]] = {"whole": [], "reduced": [], "first epoch": [], "cached": []}
    plain, reduced = make_recipe(size), make_recipe(size, reduced_decoding=True)
    for epoch in range(REPEAT):
        cached = make_recipe(size, cache=caches / str(epoch))
        for name, recipe in zip(seconds, (plain, reduced, cached, cached), strict=True):
            seconds[name].append(measure_epoch(samples, recipe, epoch))
    speeds = {name: len(samples) / median(values) for name, values in seconds.items()}
    for name, speed in speeds.items():
        print(f"  {name:12} {speed:7.0f} images/s  {speed / speeds['whole']:5.2f} x")
    files, faces = sum_sizes(samples.paths("rgb")), sum_sizes((caches / "0").rglob("*.faces"))
    print(f"  on disk: {files / len(samples):.0f} kB a JPEG, {faces / len(samples):.0f} kB a face")


def sum_sizes(paths: Iterable[Path]) -> float:
    """Return kB."""
    return sum(path.stat().st_size for path in paths) / 1e3


def compare_pixels(samples: SampleTable, size: int) -> None:
    """Print how the crops of reduced decoding differ from those of images decoded whole.

    Also for a margin of 1: crops that keep no more pixels than the network's input has.
    """
    whole, reduced = (
        make_faces(samples, evolve(make_recipe(size, reduced_decoding=value), augment=Augment(lighting=0)))
        for value in (False, True)
    )
    rows, used = range(len(samples)), reduced_decoding.MARGIN
    expected = [whole.read(row, np.random.default_rng(row))["rgb"].astype(np.float64) for row in rows]
    for margin in sorted({1, used}):
        reduced_decoding.MARGIN = margin
        crops = [reduced.read(row, np.random.default_rng(row))["rgb"].astype(np.float64) for row in rows]
        pairs = [pair for pair in zip(expected, crops, strict=True) if not np.array_equal(*pair)]
        print(f"  margin {margin}: reduced decoding changes {len(pairs) / len(samples):.0%} of the crops")
        if pairs:
            errors = np.abs(np.concatenate([(one - other).ravel() for one, other in pairs]))
            edges = [[np.abs(np.diff(crop, axis=1)).mean() for crop in pair] for pair in pairs]
            high, sharpness = np.quantile(errors, 0.99), median(after / before for before, after in edges)
            print(f"    by {errors.mean():.2f} of 255 on average, 1 % of values by {high:.0f} or more")
            print(f"    differences between neighbours are {sharpness:.3f} times as large")
    reduced_decoding.MARGIN = used


def measure_colour_noise(samples: SampleTable, size: int) -> None:
    """Print what colour noise costs of reading and augmenting an image, and as a batch on the processor."""
    faces, rng, rows = make_faces(samples, make_recipe(size)), np.random.default_rng(0), range(len(samples))
    crops = [faces.read(row, rng)["rgb"] for row in rows]
    batch, shift = torch.from_numpy(np.stack(crops)), torch.full((len(crops), 1, 1, 3), 3, dtype=torch.int16)
    torch.set_num_threads(1)
    forms: dict[str, Callable[[], object]] = {
        "noise": lambda: [add_colour_noise(crop, rng, Augment().lighting) for crop in crops],
        "batch": lambda: (batch.to(torch.int16) + shift).clamp_(0, 255).to(torch.uint8),
        "whole": lambda: [faces.read(row, rng) for row in rows],
    }
    seconds = {name: median(measure_seconds(form) for _ in range(REPEAT)) for name, form in forms.items()}
    noise, together = (1e6 * seconds[name] / len(samples) for name in ("noise", "batch"))
    share = seconds["noise"] / seconds["whole"]
    print(f"  colour noise: {noise:.0f} us an image, {share:.1%} of reading and augmenting", end="")
    print(f"; by torch, as a batch: {together:.0f} us")


def compare_memory(samples: SampleTable, size: int, cache: Path) -> None:
    """Print the proportional set size of the processes that read, after an epoch."""
    for name, folder in (("whole", None), ("cached", cache)):
        loader = training_loader(samples, make_recipe(size, workers=PROCESSES, cache=folder))
        for _ in loader:
            pass
        sizes = [read_pss(process.pid) for process in active_children()]
        loader.close()
        print(f"  {PROCESSES} processes, {name}: {sum(sizes):.0f} MB in all")


def read_pss(pid: int | None) -> float:
    """Return MB: of a page that n processes share, each has an n-th part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", default="256,512,1000,2000", help="of the photos, in pixels")
    parser.add_argument("--size", type=int, default=224, help="side of the network's input in pixels")
    parser.add_argument("--photos", type=int, default=100, help="of each side")
    arguments = parser.parse_args()
    console.quiet = True
    keep_freed_memory()  # as training does
    warnings.filterwarnings("ignore", "This DataLoader will create")
    for side in map(int, arguments.sides.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            samples = write_photos(Path(folder), side, arguments.photos)
            print(f"photos of {side} x {side} pixels, an input of {arguments.size} x {arguments.size}")
            compare_forms(samples, arguments.size, Path(folder, "caches"))
            compare_pixels(samples, arguments.size)
            measure_colour_noise(samples, arguments.size)
            compare_memory(samples, arguments.size, Path(folder, "caches", "0"))


if __name__ == "__main__":
    main()
