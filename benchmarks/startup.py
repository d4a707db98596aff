"""Measure how long `fas --help` takes, against importing click and rich, which such a command line needs.

    python benchmarks/startup.py

Both run in turn, so that a busy machine slows both alike. The exit code is 1 if the claim, a ratio below 4,
does not hold.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
from pathlib import Path
from statistics import median
from time import perf_counter

CLAIM = 4.0
COMMANDS = {
    "fas --help": [str(Path(sysconfig.get_path("scripts")) / "fas"), "--help"],
    "import click, rich.console": [sys.executable, "-c", "import click, rich.console"],
}


def measure_seconds(command: list[str]) -> float:
    """Run a command and return its wall time in seconds."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="Starts of each command (default 15).")
    repeat = parser.parse_args().repeat
    for command in COMMANDS.values():  # once without measuring, so that byte code is compiled
        measure_seconds(command)
    durations: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeat):
        for name, command in COMMANDS.items():
            durations[name].append(measure_seconds(command))
    for name, times in durations.items():
        print(f"{name:28} median {median(times) * 1e3:6.1f} ms  least {min(times) * 1e3:6.1f} ms")
    fas, imports = (median(times) for times in durations.values())
    print(f"ratio of medians {fas / imports:.2f}, claimed < {CLAIM:g}")
    return 0 if fas < CLAIM * imports else 1


if __name__ == "__main__":
    sys.exit(main())
