"""Measure `fas predict --engine ray` with one worker and with two, and `fas predict` in one process.

    python benchmarks/ray_scoring.py model.onnx
    python benchmarks/ray_scoring.py model.onnx --photos 20000

The model must take one modality, and one thread computes in each process. Rates of Ray are those between the
first part and the last, without its start, which is printed as well. The tables of all three must be
equal, row for row.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from time import perf_counter, time

import pyarrow.parquet
from predict import write_photos

FAS = str(Path(sysconfig.get_path("scripts")) / "fas")
ROWS = 64


def write_manifest(folder: Path, count: int) -> Path:
    """Write photos of the size of face crops, and a manifest of them."""
    (folder / "photos").mkdir()
    write_photos(folder / "photos", count)
    path = folder / "manifest.csv"
    names = sorted(photo.name for photo in (folder / "photos").iterdir())
    path.write_text("path\n" + "".join(f"photos/{name}\n" for name in names))
    return path


def run(*command: object) -> float:
    """Run a command and return its seconds."""
    start = perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    subprocess.run([FAS, *map(str, command)], check=True, stdout=subprocess.DEVNULL, env=environment)
    return perf_counter() - start


def measure(predict: list[object], folder: Path, workers: int) -> tuple[float, float]:
    """Return the photos a second of so many workers and the seconds until their first part."""
    begin = time()
    run(*predict, "--engine", "ray", "--into", folder, "--part-rows", ROWS, "--predictors", workers)
    written = sorted(path.stat().st_mtime for path in folder.iterdir())
    return ROWS * (len(written) - 1) / (written[-1] - written[0]), written[0] - begin


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--photos", type=int, default=10_048, help="Number of photos (default 10,048).")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        manifest = write_manifest(folder, arguments.photos)
        predict = ["predict", arguments.model, manifest, "--no-detect", "--quiet"]
        seconds = run(*predict, "--threads", 1, "--csv", folder / "alone.csv")
        print(f"one process, one thread   {arguments.photos / seconds:7.0f} photos/s, start included")
        rates = []
        for workers in (1, 2):
            rate, start = measure(predict, folder / str(workers), workers)
            rates.append(rate)
            print(f"Ray, {workers} worker(s)          {rate:7.0f} photos/s, first part after {start:.0f} s")
            table = pyarrow.parquet.read_table(folder / str(workers), columns=["id", "score"])
            with (folder / "alone.csv").open(newline="") as file:
                alone = [(row["id"], float(row["score"])) for row in csv.DictReader(file)]
            if [(row["id"], row["score"]) for row in table.to_pylist()] != alone:
                raise SystemExit(f"{workers} worker(s): not the table of one process")
        print(f"two workers over one {rates[1] / rates[0]:.2f}; all tables equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
