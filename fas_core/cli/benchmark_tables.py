"""What `fas export --benchmark` prints: the CPU, a line for each file, and which to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fas_core.console import console
from fas_core.text_table import Table

if TYPE_CHECKING:
    from fas_core.exporting.benchmark import Benchmark

COLUMNS = ("form", "latency", "x eager", "ACER", "change,\npoints", "file")


def show_benchmark(benchmark: Benchmark) -> None:
    """Print a benchmark."""
    eager = ("eager PyTorch", f"{benchmark.eager:.2f} ms", "1.00", "-", "-", "-")
    rows = [
        (
            item.name,
            f"{item.milliseconds:.2f} ms",
            f"{item.ratio:.2f}",
            "-" if item.acer is None else f"{item.acer:.2%}",
            "-" if item.acer_change is None else f"{100 * item.acer_change + 0.0:+.2f}",
            item.path.name,
        )
        for item in benchmark.files
    ]
    console.info()
    console.table(Table("", COLUMNS, [eager, *rows], left=(0, 5)))
    console.info(f"one sample a call, one thread; {benchmark.cpu.text()}")
    console.result(benchmark.advice())
