"""How long `fas --help` takes, over importing what any such command line is made of.

    python benchmarks/startup.py

Both are started by turns, so that a busy machine slows both alike. Exits with 1 when the claim,
a ratio below 4, does not hold.
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
PEERS = {
    "fas --help": [str(Path(sysconfig.get_path("scripts")) / "fas"), "--help"],
    "import click, rich.console": [sys.executable, "-c", "import click, rich.console"],
}


def seconds(command: list[str]) -> float:
    """Wall time of one command."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="Starts of each (default 15).")
    repeat = parser.parse_args().repeat
    for command in PEERS.values():  # once unmeasured, so that all have their byte code
        seconds(command)
    taken: dict[str, list[float]] = {name: [] for name in PEERS}
    for _ in range(repeat):
        for name, command in PEERS.items():
            taken[name].append(seconds(command))
    for name, times in taken.items():
        print(f"{name:28} median {median(times) * 1e3:6.1f} ms  least {min(times) * 1e3:6.1f} ms")
    ours, theirs = (median(times) for times in taken.values())
    print(f"ratio of medians {ours / theirs:.2f}, claimed < {CLAIM:g}")
    return 0 if ours < CLAIM * theirs else 1


if __name__ == "__main__":
    sys.exit(main())
