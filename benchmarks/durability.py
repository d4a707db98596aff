"""What durable writes and digests cost a training: `python benchmarks/durability.py [--pairs N]`.

Each pair trains the same recipe twice in one process, with and without syncing and digests, by turns; the
ratio of the two times is free of what else the machine does for longer than a pair.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from fas_core.cli import main as fas

NO_DIGEST = "0" * 64
OFF = {
    "fas_core.models.checkpoint.hash_tensors": lambda *_: NO_DIGEST,
    "fas_core.models.checkpoint.seal_model_file": lambda *_: None,
    "fas_core.models.checkpoint.check_model_file": lambda *_: None,
    "fas_core.runs.score_files.hash_file": lambda *_: NO_DIGEST,
    "fas_plugins.datasets.synthetic.check_files": lambda *_, **__: None,
}
"""What digests are made by, and what makes none."""


@contextmanager
def measured(seconds: dict[str, float], durable: bool) -> Iterator[None]:
    """Add the seconds of syncing and digests to `seconds`; without `durable` there is neither."""

    def timed(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            begin = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - begin

        return call

    with ExitStack() as stack:
        sync = timed("fsync", os.fsync) if durable else lambda _: None
        stack.enter_context(patch("os.fsync", sync))
        for target, absent in OFF.items():
            module, _, name = target.rpartition(".")
            function = getattr(__import__(module, fromlist=[name]), name)
            stack.enter_context(patch(target, timed("digests", function) if durable else absent))
        yield


def train(arguments: list[str], durable: bool) -> tuple[float, dict[str, float]]:
    """Train once; return the seconds of all, and of syncing and digests."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=".") as folder, measured(seconds, durable):
        begin = time.perf_counter()
        result = CliRunner().invoke(fas, ["train", *arguments, "--runs", str(Path(folder)), "-q"])
        total = time.perf_counter() - begin
    if result.exit_code:
        raise SystemExit(result.output)
    return total, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--recipe", default="quickstart")
    parser.add_argument("arguments", nargs="*", help="further arguments of fas train, after --")
    options = parser.parse_args()
    arguments, ratios = [options.recipe, *options.arguments], []
    train(arguments, True)  # makes the data, and loads what is loaded once
    for pair in range(options.pairs):
        order = (True, False) if pair % 2 else (False, True)
        results = {durable: train(arguments, durable) for durable in order}
        (durable, costs), (plain, _) = results[True], results[False]
        ratios.append(durable / plain)
        text = ", ".join(f"{name} {value:.2f} s" for name, value in sorted(costs.items()))
        print(f"durable {durable:.2f} s ({text}), plain {plain:.2f} s, ratio {ratios[-1]:.3f}", flush=True)
    print(f"median ratio of {len(ratios)} pairs: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
