"""Measure how fast FeatherNetB trains on a CPU with freed memory kept, against glibc's default.

    python benchmarks/training.py

Each process takes SGD steps on batches of 32 images of 224 x 224 pixels. The processes of both settings run
in turn, so that a busy machine slows both alike. The exit code is 1 if the claim, a ratio above 1.2, does
not hold.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from statistics import median
from time import perf_counter

CLAIM = 1.2
BATCH, SIZE = 32, 224


def measure_images_per_second(steps: int, keep: bool) -> float:
    """Train for some steps and return images per second; two warm-up steps do not count."""
    import torch

    from fas_core.config.recipe import Recipe
    from fas_core.config.structure import structure
    from fas_core.models.build import build_model
    from fas_core.registry import registry
    from fas_core.training.process import keep_freed_memory

    if keep and not keep_freed_memory():
        sys.exit("freed memory cannot be kept here: glibc is required")
    tree = {"modalities": ["rgb"], "model": {"backbone": "feathernet_b", "fusion": "single"}}
    model = build_model(structure(tree, Recipe, registry(), "benchmark"), registry())
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
    images = torch.randint(0, 256, (BATCH, SIZE, SIZE, 3), dtype=torch.uint8)
    labels = torch.arange(BATCH) % 2
    for step in range(steps + 2):
        if step == 2:
            start = perf_counter()
        torch.nn.functional.cross_entropy(model({"rgb": images}).logits, labels).backward()
        optimizer.step()
        optimizer.zero_grad()
    return steps * BATCH / (perf_counter() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10, help="Steps of each process (default 10).")
    parser.add_argument("--repeat", type=int, default=3, help="Processes of each setting (default 3).")
    parser.add_argument("--one", choices=("kept", "plain"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(measure_images_per_second(arguments.steps, arguments.one == "kept"))
        return 0
    prefixes = ("MALLOC_", "GLIBC_TUNABLES")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    results: dict[str, list[float]] = {"kept": [], "plain": []}
    for _ in range(arguments.repeat):
        for name, speeds in results.items():
            command = [sys.executable, __file__, "--one", name, "--steps", str(arguments.steps)]
            process = subprocess.run(command, env=clean, stdout=subprocess.PIPE, text=True)
            if process.returncode:
                return process.returncode  # the process printed the reason
            speeds.append(float(process.stdout))
    for name, speeds in results.items():
        print(f"freed memory {name:6} median {median(speeds):6.1f} images/s  most {max(speeds):6.1f}")
    ratio = median(results["kept"]) / median(results["plain"])
    print(f"ratio of medians {ratio:.2f}, claimed > {CLAIM:g}")
    return 0 if ratio > CLAIM else 1


if __name__ == "__main__":
    sys.exit(main())
