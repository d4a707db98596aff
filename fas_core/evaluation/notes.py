"""The lines below tables of results: thresholds, intervals, and rates that stand on few samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from textwrap import wrap

from fas_core.evaluation.formatting import figure_name
from fas_core.evaluation.intervals import Intervals
from fas_core.evaluation.result import Result

WIDTH = 80
"""The most characters of a line."""

SMALL_COUNT = "*"
"""Marks a rate at a target that stands on too few samples."""


def threshold_text(result: Result) -> str:
    """The threshold of a result, for a title."""
    return result.threshold.text() if result.threshold else "no threshold"


def merge_notes(results: Sequence[Result]) -> list[str]:
    """Return notes that all results share once, and others with their result's name."""
    notes = dict.fromkeys((result.name, note) for result in results for note in result.notes)
    shared = {note for _, note in notes if all(note in result.notes for result in results)}
    return list(dict.fromkeys(note if note in shared else f"{name}: {note}" for name, note in notes))


def merge_texts(texts: Mapping[str, str]) -> list[str]:
    """Return the one text, if all are the same, else each with its result's name."""
    if len(set(texts.values())) == 1:
        return [next(iter(texts.values()))]
    return [f"{name}: {text}" for name, text in texts.items()]


def describe_warnings(results: Sequence[Result]) -> list[str]:
    """Return the warnings of the results, so that they are also in what a user saves of the output."""
    warnings = [f"warning: {text}" for result in results for text in result.warnings]
    return [line for text in warnings for line in wrap_note(text)]


def describe_small_counts(results: Sequence[Result], keys: Sequence[str]) -> list[str]:
    """Explain the marks of the metrics `keys`, in lines; none where nothing is marked."""

    def describe(result: Result) -> str:
        small = result.small_counts
        return "; ".join(small[key].describe(key) for key in keys if key in small)

    return [line for text in _merge(results, describe) for line in wrap_note(f"{SMALL_COUNT} {text}")]


def describe_intervals(results: Sequence[Result]) -> list[str]:
    """Say in lines what the bounds in a table are, and of which metrics they are exact or missing."""
    bounds, exact, missing = (
        _merge(results, describe) for describe in (_describe_bounds, _describe_exact, _describe_missing)
    )
    return [*bounds, *(line for text in (*exact, *missing) for line in wrap_note(text))]


def describe_exact(intervals: Intervals) -> str:
    """Say which intervals are exact; empty where none is."""
    names = [*map(figure_name, intervals.exact), *(f"APCER of {name}" for name in intervals.exact_species)]
    if not names:
        return ""
    which = "all" if len(intervals.exact) == len(intervals.figures) else ", ".join(names)
    means = ", ".join(map(figure_name, intervals.partly_exact))
    text = f"exact (Clopper-Pearson over {intervals.by}s), because no replicate differs: {which}"
    return text + (f"; partly, as means with one of these: {means}" if means else "")


def wrap_note(text: str) -> list[str]:
    """Return a long note in lines."""
    return wrap(text, WIDTH, subsequent_indent="  ")


def _describe_exact(result: Result) -> str:
    return "" if result.intervals is None else describe_exact(result.intervals)


def _describe_bounds(result: Result) -> str:
    intervals = result.intervals
    if intervals is None:
        return ""
    groups = f"{intervals.groups} {intervals.by}{'' if intervals.groups == 1 else 's'}"
    why = ": not every subject or video is known" if intervals.by == "sample" else ""
    replicates = f"{intervals.replicates} bootstrap replicates over {groups}{why}"
    return f"from, to: {100 * intervals.level:g} % intervals, {replicates}"


def _describe_missing(result: Result) -> str:
    """Name the metrics that have a value and no interval; empty where there are none."""
    if result.intervals is None:
        return ""
    figures = result.intervals.figures
    defined = [key for key, value in result.metrics.items() if value is not None and not isnan(value)]
    names = [figure_name(key) for key in defined if isnan(figures[key][0])]
    return f"no interval, because no replicate differs: {', '.join(names)}" if names else ""


def _merge(results: Sequence[Result], describe: Callable[[Result], str]) -> list[str]:
    return merge_texts({result.name: text for result in results if (text := describe(result))})
