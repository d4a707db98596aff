"""Results in sentences for readers who know no metrics: who was judged, what passes, who is refused.

The worst kind of attack comes first, as ISO/IEC 30107-3 asks for.
"""

from __future__ import annotations

from collections.abc import Sized
from math import isnan

from fas_core.evaluation.error_counts import MAX_SPECIES
from fas_core.evaluation.errors_table import ErrorRow, error_rows
from fas_core.evaluation.formatting import format_share
from fas_core.evaluation.population import Population
from fas_core.evaluation.result import Result
from fas_core.evaluation.targets import Judgement
from fas_core.scores.thresholds import Threshold

NO_THRESHOLD = "It has no threshold, so it lets nothing pass and refuses nobody: only its ranking is judged."


def describe(result: Result, population: Population) -> dict[str, str]:
    """Return `{heading: sentences}` of one system: on whom, what passes, who is refused, how sure that is."""
    passes = [*describe_accepted(result), describe_uncertain(result)]
    texts = {
        "Judged on": describe_population(result, population),
        "Lets pass": " ".join(filter(None, passes)),
        "Refuses": describe_refused(result),
        "How sure": describe_basis(result, population),
        "Threshold": "" if result.threshold is None else describe_threshold(result.threshold),
    }
    return {heading: text for heading, text in texts.items() if text}


def describe_threshold(threshold: Threshold) -> str:
    """Return when a sample is accepted, and where that comes from."""
    text = f"{threshold.text()}."
    oracle = " It was fitted on these very scores: no claim, but the best that could be had."
    return f"{text[0].upper()}{text[1:]}{oracle if threshold.oracle else ''}"


def describe_population(result: Result, population: Population) -> str:
    """Return how many people, live samples and attacks of which kinds were judged."""
    counts, species = result.counts, result.species
    live, attacks = counts.get("live", 0), counts.get("attack", 0)
    known = population.by != "sample"
    of_live = f" of {population.count(population.live)}" if known and live else ""
    samples = [f"{live} live samples{of_live}" if live else "no live samples"]
    if attacks:
        samples.append(f"{attacks} attacks of {_count_kinds(species)} ({_list_kinds(result, population)})")
    else:
        samples.append("no attacks")
    total = f"{population.count(population.total)}: " if known else ""
    missing = counts.get("no_response", 0)
    unscored = f"; {missing} more gave no score" if missing else ""
    unknown = f"; {counts['unknown']} without a label are left out" if counts.get("unknown") else ""
    return f"{total}{' and '.join(samples)}{unscored}{unknown}."


def describe_accepted(result: Result) -> list[str]:
    """Return what attacks it lets pass: of the worst kind, of further ones, and of all."""
    rows = [row for row in error_rows(result) if row.rate.startswith("APCER")]
    if not rows:
        return ["No attacks were judged: what it lets pass is not known."]
    if rows[0].wrong is None:
        return [NO_THRESHOLD]
    worst, *others, pooled = rows
    if not others:
        return [f"It lets pass {_count(worst)} {worst.samples} attacks {_share(worst)}."]
    passing = [row for row in others if row.wrong]
    shown, hidden = passing[:MAX_SPECIES], passing[MAX_SPECIES:]
    texts = [f"{_count(row)} {row.samples} ({format_share(row.value or 0)})" for row in shown]
    more = f" and some of {_count_kinds(hidden, 'further ')}" if hidden else ""
    sentences = [
        f"Of the worst kind of attack, {worst.samples}, it lets pass {_count(worst)} {_share(worst)}."
    ]
    if texts:
        sentences.append(f"Of other kinds it lets pass {', '.join(texts)}{more}.")
    return [*sentences, f"Of all attacks it lets pass {_count(pooled)} {_share(pooled)}."]


def describe_refused(result: Result) -> str:
    """Return how many live samples it refuses; empty without a threshold."""
    row = next((row for row in error_rows(result) if row.rate == "BPCER"), None)
    if row is None:
        return "No live samples were judged: whom it refuses is not known."
    return "" if row.wrong is None else f"It refuses {_count(row)} live samples {_share(row)}."


def describe_uncertain(result: Result) -> str:
    """Return how many samples get no verdict; empty where every one gets one."""
    if result.errors is None or not any(result.errors.uncertain):
        return ""
    attacks, live = result.errors.uncertain
    return f"It gives no verdict on {attacks} attacks and {live} live samples, which are not counted above."


def describe_basis(result: Result, population: Population) -> str:
    """Return what the intervals are over, and that they are too narrow where people are not known."""
    if result.intervals is None:
        return "There are no intervals, so nothing says how far the figures would move with other people."
    level = f"{100 * result.intervals.level:g} %"
    if population.by == "sample":
        return (
            f"Who the people are is not known. The {level} intervals take every sample as another person, so "
            f"they are too narrow if people have several samples."
        )
    singular = "person" if population.by == "subject" else "video"
    return (
        f"The {level} intervals are over {population.count(population.total)}: samples of one {singular} "
        f"resemble each other, and do not count as independent."
        + (" Of so few they tend to be too narrow." if population.is_small else "")
    )


def describe_judgement(judgement: Judgement) -> str:
    """Return why a target is met or not, or why that cannot be told."""
    target, (low, high) = judgement.target, judgement.interval
    of = f" of {judgement.species}" if judgement.species else ""
    if isnan(judgement.value):
        return f"the figure{of} is not defined"
    if isnan(low) or isnan(high):
        return f"it is {format_share(judgement.value)}{of}, without an interval"
    noun = {"subject": "people", "video": "videos", "sample": "samples"}[judgement.by]
    rate = (
        f"it is {format_share(judgement.value)}{of}, {format_share(low)} to {format_share(high)} "
        f"by {judgement.people} {noun}"
    )
    needed = target.needed
    if judgement.verdict != "cannot tell":
        return rate
    if needed is None:
        return f"{rate}; no number of {noun} can show that"
    if judgement.people < needed:
        return f"{rate}; without a single error {needed} {noun} could show it"
    met = low >= target.limit if target.at_least else high <= target.limit
    return f"{rate}, at a threshold fitted on these very scores" if met else rate


def _count_kinds(kinds: Sized, which: str = "") -> str:
    return f"{len(kinds)} {which}kind{'' if len(kinds) == 1 else 's'}"


def _list_kinds(result: Result, population: Population) -> str:
    """Return each kind of attack with its number of attacks and, where they are known, of people."""
    names = sorted(result.species, key=lambda name: (-result.species[name].count, name))
    people = [population.species.get(name, 0) for name in names]
    texts = [f"{name} {result.species[name].count}" for name in names]
    if population.by == "sample":
        return ", ".join(texts)
    if len(names) > 1 and len(set(people)) == 1:
        return f"{', '.join(texts)}; each of {population.count(people[0])}"
    return ", ".join(
        f"{text} of {population.count(number)}" for text, number in zip(texts, people, strict=True)
    )


def _count(row: ErrorRow) -> str:
    return f"{row.wrong} of {row.total}"


def _share(row: ErrorRow) -> str:
    """Return the rate and its interval, in brackets."""
    if row.value is None:
        return "(none has a verdict)"
    low, high = row.interval
    if low is None or high is None or isnan(low) or isnan(high):
        return f"({format_share(row.value)})"
    return f"({format_share(row.value)}; interval {format_share(low)} to {format_share(high)})"
