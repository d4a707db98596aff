"""Measure how fast training reads images of a storage that answers late, beside files of this machine.

    python benchmarks/object_storage.py
    python benchmarks/object_storage.py --latency 100 --workers 4

The storage is a file system of fsspec that waits before it gives a file of this machine. Read are two epochs
of random JPEGs of the size of face crops, by the processes that training has: with one request at a time,
with as many as `fas` makes, and with a cache on the disk, which the second epoch reads.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from time import perf_counter
from typing import Any

import fsspec
from attrs import evolve
from fsspec.implementations.local import LocalFileSystem
from predict import write_photos

from fas_core.config.recipe import Recipe
from fas_core.data import remote_files
from fas_core.data.loader import training_loader
from fas_core.records.samples import SampleTable
from fas_core.urls import Url

CONNECTIONS = remote_files.CONNECTIONS


class Late(LocalFileSystem):
    """Files of this machine, each given after `latency` seconds."""

    protocol = "late"
    latency = 0.0

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        time.sleep(self.latency)
        return bytes(super().cat_file(path, start, end, **options))

    def get_file(self, rpath: str, lpath: str, **options: Any) -> None:
        time.sleep(self.latency)
        super().get_file(rpath, lpath, **options)


def measure(samples: SampleTable, workers: int, connections: int) -> list[float]:
    """Return the images/s of two epochs."""
    remote_files.CONNECTIONS = connections
    plain = Recipe(modalities=("rgb",))
    recipe = evolve(plain, train=evolve(plain.train, workers=workers, batch_size=32))
    loader = training_loader(samples, recipe)
    rates = []
    try:
        for epoch in range(2):
            loader.start_epoch(epoch)
            start = perf_counter()
            count = sum(len(batch.label) for batch in loader)
            rates.append(count / (perf_counter() - start))
    finally:
        loader.close()
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=512)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--latency", type=float, default=30, help="milliseconds before a file is given")
    options = parser.parse_args()
    Late.latency = options.latency / 1000
    fsspec.register_implementation("late", Late, clobber=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_photos(folder, options.photos)
        names = sorted(path.name for path in folder.iterdir())
        labels = [number % 2 for number in range(len(names))]
        files = SampleTable.of({"id": names, "label": labels, "rgb": names}, modalities=("rgb",), root=folder)
        fsspec.config.conf["simplecache"] = {"cache_storage": f"{folder}/cache"}
        late = evolve(files, root=Url(f"late://{folder}"))
        cached = evolve(files, root=Url(f"simplecache::late://{folder}"))
        print(f"{options.latency:g} ms a request, {options.workers} processes; images/s in epochs 1 and 2")
        baseline = measure(files, options.workers, CONNECTIONS)[1]
        for title, samples, connections in (
            ("files", files, 1),
            ("one request at a time", late, 1),
            (f"{CONNECTIONS} requests at a time", late, CONNECTIONS),
            ("the same with simplecache", cached, CONNECTIONS),
        ):
            first, second = measure(samples, options.workers, connections)
            print(f"{title:26} {first:6.0f} {second:6.0f}   {second / baseline:.2f} of files")


if __name__ == "__main__":
    main()
