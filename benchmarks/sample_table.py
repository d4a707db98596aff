"""Measure what a large manifest takes: seconds and memory to read, and memory of the processes that share it.

    python benchmarks/sample_table.py

Writes a CSV file of a million samples with three images each (no image exists), reads it, and starts four
processes by fork that each look at every tenth row, as those that read images do. The memory of a process is
its proportional set size: of a page that n processes share, each has an n-th part. Linux only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time

from fas_core.config.components import DatasetChoice
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.data.open import open_choice
from fas_core.records.samples import SampleTable
from fas_core.registry import registry

PROCESSES, STEP = 4, 10


def write_manifest(path: Path, rows: int) -> None:
    with path.open("w") as file:
        file.write("rgb,depth,ir,label,split,species,subject\n")
        for row in range(rows):
            stem, species = f"train/{row // 1000:04}/{row % 1000:04}", "live" if row % 2 else "print"
            file.write(
                f"{stem}_rgb.jpg,{stem}_depth.jpg,{stem}_ir.jpg,{row % 2},train,{species},{row // 100}\n"
            )


def measure_memory(name: str) -> float:
    """Return MB of this process: `Pss` is its part of shared pages, `Rss` all of its pages."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1000


def look_at_rows(samples: SampleTable, pipe: Connection) -> None:
    """Read paths as a process that reads images does; measure while the other processes still exist."""
    for row in range(0, len(samples), STEP):
        samples.path(row, "rgb")
    pipe.send(None)
    pipe.recv()
    pipe.send(measure_memory("Pss"))
    pipe.recv()


def measure_processes(samples: SampleTable) -> list[float]:
    """Return the proportional set size in MB of each process, all at the same time."""
    context = multiprocessing.get_context("fork")
    pipes, processes = [], []
    for _ in range(PROCESSES):
        ours, theirs = context.Pipe()
        process = context.Process(target=look_at_rows, args=(samples, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    for pipe in pipes:
        pipe.send(None)
    sizes = [float(pipe.recv()) for pipe in pipes]
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(None)
        process.join()
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="Samples (default 1000000).")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.csv"
        write_manifest(path, rows)
        tree = {"data": {"name": "manifest", "root": str(path)}}
        choice: DatasetChoice = structure(tree, Recipe, registry(), "benchmark").data
        open_choice(choice, registry())  # what is imported does not count
        before, start, work = measure_memory("Rss"), perf_counter(), process_time()
        samples = open_choice(choice, registry()).samples("train")
        seconds, work = perf_counter() - start, process_time() - work
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6 - before
    print(f"{rows:,} rows read in {seconds:.1f} s ({work:.1f} s of a processor)")
    print(
        f"memory at most {peak:.0f} MB more than before, afterwards {measure_memory('Rss') - before:.0f} MB"
    )
    sizes = measure_processes(samples)
    print(
        f"{PROCESSES} processes of {max(sizes):.0f} MB each at most, this one {measure_memory('Pss'):.0f} MB"
    )


if __name__ == "__main__":
    main()
