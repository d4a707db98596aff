"""Compare an exported model with the model: scores, decisions and error rates on the run's own samples."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from attrs import evolve, frozen

from fas_core.card import Card
from fas_core.contracts import Images, Scorer, Verification, Verify
from fas_core.data.open import open_choice, replace_dataset
from fas_core.data.reading import batches
from fas_core.errors import DataError, ModelError
from fas_core.inference.score_samples import presence_of, score_samples, subsets
from fas_core.records.samples import SampleTable
from fas_core.runs.run import Run
from fas_core.scores.table import ScoreTable

SPLITS = ("dev", "test", "train")
"""Where samples are taken from: the first of these that the data set has."""

SUBSET_SAMPLES = 8
"""On how many samples every subset of the modalities is tried where some may be missing."""

REPEATS, SECONDS = 50, 2.0
"""A latency is the median of so many calls, or of those that fit into so many seconds."""


@frozen(eq=False, slots=False)
class Comparison:
    """The model, its card, and the samples of a split that its exports are compared on."""

    scorer: Scorer
    samples: SampleTable
    split: str
    card: Card

    @cached_property
    def reference(self) -> ScoreTable:
        """The model's own scores."""
        return self._scores(self.scorer, "the model")

    def images(self, count: int) -> Images:
        """Return up to `count` of the samples, labels mixed, as the model's input."""
        selected, model_input = spread(self.samples, count), self.card.input
        samples = selected.take(np.random.default_rng(0).permutation(len(selected)))
        presence = presence_of(samples, model_input.modalities) if model_input.partial else None
        (images,) = batches(samples, model_input, len(samples), 2, presence)
        return images

    def verifier(self, destination: Path) -> Verify:
        """Return the check that the exporter of a file calls; its messages name the file."""

        def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
            result = self._compare(scorer, destination)
            _check(result, tolerance, acer_loss, destination)
            return evolve(result, latency=latency(scorer, self.images(1)))

        return verify

    def _compare(self, scorer: Scorer, destination: Path) -> Verification:
        exported, reference = self._scores(scorer, destination.name), self.reference
        difference = np.abs(exported.scores - reference.scores)
        worst = max(float(difference.max()), self._worst_of_subsets(scorer))
        result = Verification(len(self.samples), self.split, worst, float(difference.mean()))
        if self.card.threshold is None:
            return evolve(result, unverified=("decisions and ACER: no threshold goes with the model",))
        value = self.card.threshold.value
        changed = int(np.sum((exported.scores >= value) != (reference.scores >= value)))
        result = evolve(result, threshold=value, changed=changed)
        if self.split != "dev":
            return evolve(result, unverified=(f"ACER on dev: the data has no dev split, only {self.split}",))
        if not reference.rates.has_both_classes:
            return evolve(result, unverified=("ACER on dev: it has no labels of both classes",))
        return evolve(result, acer_before=_acer(reference, value), acer_after=_acer(exported, value))

    def _worst_of_subsets(self, scorer: Scorer) -> float:
        """Return the largest difference where modalities are missing; 0 for a model that needs all."""
        if not self.card.input.partial:
            return 0.0
        images, names = self.images(SUBSET_SAMPLES), self.card.modalities
        worst = 0.0
        for subset in subsets(names):
            presence = np.tile([name in subset for name in names], (len(images[names[0]]), 1))
            difference = scorer(images, presence) - self.scorer(images, presence)
            worst = max(worst, float(np.abs(difference).max()))
        return worst

    def _scores(self, scorer: Scorer, description: str) -> ScoreTable:
        return score_samples(
            scorer, self.samples, model_input=self.card.input, description=f"scoring by {description}"
        )


def compare_on(run: Run, scorer: Scorer, card: Card, count: int, data: str | None = None) -> Comparison:
    """Return the comparison on up to `count` samples of the run's own data or `data`, of dev if it has one.

    Raises:
        DataError: the data is missing, or cannot be read.
    """
    own, registry = run.recipe.data, run.registry
    try:
        choice = own if data is None else replace_dataset(data, own, registry)
        reader = open_choice(evolve(choice, train_on_dev=False), registry)  # dev does, trained on or not
        split = next((name for name in SPLITS if name in reader.splits()), reader.splits()[0])
        samples = reader.samples(split)
        samples = spread(samples if card.input.partial else samples.need(card.modalities), count)
        comparison = Comparison(scorer, samples, split, card)
        _ = comparison.reference  # reads all images: they are missing now or never
        return comparison
    except DataError as error:
        raise DataError(
            f"{run.path}: data is needed, to compare the export with the model: {error.message} "
            "(--data names other data; any faces do, e.g. --data synthetic)"
        ) from error


def spread(samples: SampleTable, count: int) -> SampleTable:
    """Return `count` of the samples, or all: labels by their shares, rows from the whole table."""
    if not len(samples):
        raise DataError(f"{samples.root}: no samples")
    by_label = np.argsort(samples.labels, kind="stable")
    rows = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(np.intp)
    return samples.take(by_label[rows])


def latency(scorer: Scorer, image: Images) -> float:
    """Return the median milliseconds of a call with one sample."""
    durations: list[float] = []
    scorer(image)
    while len(durations) < REPEATS and sum(durations) < SECONDS:
        start = perf_counter()
        scorer(image)
        durations.append(perf_counter() - start)
    return median(durations) * 1000


def _check(result: Verification, tolerance: float | None, acer_loss: float, destination: Path) -> None:
    scope = f"on {result.samples} samples of {result.split}"
    allowed = np.inf if tolerance is None else tolerance
    if not (np.isfinite(result.max_difference) and result.max_difference <= allowed):
        limit = "" if tolerance is None else f", more than the {tolerance:g} allowed"
        raise ModelError(
            f"{destination}: not written: its scores and the model's differ by up to "
            f"{result.max_difference:.2g} {scope}{limit}"
        )
    if result.acer_before is None or result.acer_after is None:
        return
    if result.acer_after - result.acer_before > acer_loss + 1e-12:
        raise ModelError(
            f"{destination}: not written: ACER {scope} is {result.acer_after:.2%} and the model's "
            f"{result.acer_before:.2%}: worse by more than the {100 * acer_loss:g} points allowed"
        )


def _acer(scores: ScoreTable, threshold: float) -> float:
    return float(scores.rates.apcer(threshold) + scores.rates.bpcer(threshold)) / 2
