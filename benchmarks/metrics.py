"""Measure how fast scores are evaluated, against the published method: `python benchmarks/metrics.py`.

1. The whole published table for 9,608 scores (the size of CASIA-SURF's validation split), against an ROC
   interpolated on a grid of 1e-8, as the published figures were computed. The reference here was written
   from that definition.
2. The same table for 10,000,000 scores with 6 attack species (PAI species): seconds and peak memory.
3. 1,000 bootstrap replicates, by subject, of the same table for 1,000,000 scores of 1,000 subjects.

Each measurement runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SPECIES = ("print", "print_bent", "print_cut", "replay", "mask_3d", "unknown_x")


def main() -> None:
    if len(sys.argv) > 1:
        {
            "fas": evaluate_small,
            "published": evaluate_published,
            "large": evaluate_large,
            "bootstrap": bootstrap,
        }[sys.argv[1]]()
        return
    print("9,608 scores, the published table")
    seconds = [float(run(name).split()[0]) for name in ("fas", "published")]
    print(f"  fas is {seconds[1] / seconds[0]:,.0f} times faster")
    print("10,000,000 scores, 6 species, the published table")
    run("large")
    print("1,000,000 scores of 1,000 subjects, 1,000 bootstrap replicates of the published table")
    run("bootstrap")


def run(name: str) -> str:
    """Run one measurement; print its output without the first line of raw figures, and return that line."""
    process = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True)
    first, *rest = process.stdout.splitlines()
    print("\n".join(f"  {line}" for line in rest))
    return first


def evaluate_small() -> None:
    from fas_core.evaluation import evaluate

    columns, metrics = random_columns(9_608), published_metrics()
    threshold = fixed_threshold()
    seconds = best_of(20, lambda: evaluate(build_table(columns), metrics, threshold))
    report("fas, table built and evaluated", seconds)


def evaluate_published() -> None:
    columns = random_columns(9_608)
    scores, labels = columns["score"], columns["label"]
    seconds = best_of(1, lambda: evaluate_interpolated(scores, labels))
    report("ROC interpolated on a 1e-8 grid", seconds)


def evaluate_large() -> None:
    from fas_core.evaluation import evaluate

    columns, metrics = random_columns(10_000_000), published_metrics()
    table = build_table(columns)
    del columns
    before = peak_mb()
    began, busy = time.perf_counter(), time.process_time()
    result = evaluate(table, metrics, fixed_threshold())
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    report("fas, evaluated", seconds)
    print(f"of which this process computed {busy:.2f} s; one core")
    print(f"peak memory of the process before evaluation, with columns and table: {before:,.0f} MB")
    print(", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items()))


def bootstrap() -> None:
    from fas_core.evaluation import bootstrap_intervals

    columns = random_columns(1_000_000)
    columns["subject"] = [str(number) for number in np.random.default_rng(1).integers(0, 1000, 1_000_000)]
    table, metrics = build_table(columns), published_metrics()
    began, busy = time.perf_counter(), time.process_time()
    intervals = bootstrap_intervals(table, metrics, 0.5, replicates=1000)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    report("fas, intervals", seconds)
    print(f"of which this process computed {busy:.1f} s; one core")
    print(", ".join(f"{name} {low:.4f}-{high:.4f}" for name, (low, high) in intervals.figures.items()))


def evaluate_interpolated(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> dict[str, float]:
    """Compute EER and TPR@FPR from an ROC interpolated at 10^8 points, the rest from counts at 0.5."""
    from scipy.interpolate import interp1d
    from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

    fpr, tpr, _ = roc_curve(labels, scores)
    curve = interp1d(fpr, tpr)
    grid = np.arange(0, 1, 1e-8)
    on_grid = curve(grid)
    (tn, fp), (fn, tp) = confusion_matrix(labels, scores >= 0.5)
    return {
        "eer": float(grid[np.argmin(np.abs(grid + on_grid - 1))]),
        "tpr@fpr=1e-2": float(curve(1e-2)),
        "tpr@fpr=1e-3": float(curve(1e-3)),
        "acc": (tp + tn) / len(labels),
        "apcer": fp / (fp + tn),
        "bpcer": fn / (fn + tp),
        "acer": (fp / (fp + tn) + fn / (fn + tp)) / 2,
        "auc": float(roc_auc_score(labels, scores)),
    }


def random_columns(rows: int) -> dict[str, Any]:
    """Draw scores of overlapping classes, 31 % live as in CASIA-SURF's validation split, and species."""
    import pyarrow as pa

    rng = np.random.default_rng(0)
    labels = (rng.random(rows) < 0.3116).astype(np.int8)
    codes = rng.integers(0, len(SPECIES), rows).astype(np.int32)
    return {
        "id": pa.array(np.arange(rows)).cast(pa.string()),
        "score": 1 / (1 + np.exp(-rng.normal(labels * 4 - 2.0, 1.5))),
        "label": labels,
        "species": pa.DictionaryArray.from_arrays(codes, list(SPECIES)).cast(pa.string()),
    }


def build_table(columns: dict[str, Any]) -> Any:
    from fas_core.scores.table import ScoreTable

    return ScoreTable.of(columns)


def published_metrics() -> Any:
    from fas_core.config.recipe import Recipe
    from fas_core.evaluation import bind_metrics
    from fas_core.registry import registry

    return bind_metrics(Recipe().metrics, registry())


def fixed_threshold() -> Any:
    from fas_core.scores.thresholds import fit_threshold

    return fit_threshold("fixed:0.5", None)


def best_of(times: int, work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several runs."""
    durations = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return min(durations)


def peak_mb() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def report(name: str, seconds: float) -> None:
    print(f"{seconds} {peak_mb()}")
    print(f"{name}: {seconds:.4g} s, peak memory of the process {peak_mb():,.0f} MB")


if __name__ == "__main__":
    main()
