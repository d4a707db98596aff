"""Compare an exported model with the model: scores, decisions and error rates on the run's own samples."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.contracts import Images, Scorer, Verification, Verify
from fas_core.data.open import open_choice, replace_dataset
from fas_core.data.reading import batches
from fas_core.errors import DataError, ModelError
from fas_core.exporting.score_pairs import ScorePairs
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
        presence = presence_of(samples, model_input) if model_input.partial else None
        (images,) = batches(samples, model_input, len(samples), 2, presence)
        return images

    def verifier(self, destination: Path) -> Verify:
        """Return the check that the exporter of a file calls; its messages name the file."""

        def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
            prefix, scope = f"{destination}: not written", f"on {len(self.samples)} samples of {self.split}"
            pairs = self._pair(scorer, destination)
            pairs.check(tolerance, prefix, scope)
            result = self._compare(pairs, tolerance)
            before, after = result.acer_before, result.acer_after
            if before is not None and after is not None and after - before > acer_loss + 1e-12:
                assert result.threshold is not None
                raise ModelError(
                    f"{prefix}: ACER {scope} is {after:.2%} and the model's {before:.2%}: worse by more than "
                    f"the {100 * acer_loss:g} points allowed: "
                    f"{pairs.describe_changed(result.threshold, tolerance)}"
                )
            return evolve(result, latency=latency(scorer, self.images(1)))

        return verify

    def _pair(self, scorer: Scorer, destination: Path) -> ScorePairs:
        """Score the samples by the file, and a few of them with every subset of the modalities."""
        file = self._scores(scorer, destination.name)
        return ScorePairs(
            self.samples.column("id"), self.reference.scores, file.scores, self._subset_differences(scorer)
        )

    def _compare(self, pairs: ScorePairs, tolerance: float | None) -> Verification:
        """Return the comparison; where rounding decides, the model's decision counts for the file too."""
        result = Verification(len(self.samples), self.split, pairs.largest, float(pairs.differences.mean()))
        if self.card.threshold is None:
            return evolve(result, unverified=("decisions and ACER: no threshold goes with the model",))
        value = self.card.threshold.value
        ties = pairs.ties(value, tolerance)
        changed = int((pairs.changed(value) & ~ties).sum())
        result = evolve(result, threshold=value, changed=changed, ties=int(ties.sum()))
        if self.split != "dev":
            return evolve(result, unverified=(f"ACER on dev: the data has no dev split, only {self.split}",))
        if not self.reference.rates.has_both_classes:
            return evolve(result, unverified=("ACER on dev: it has no labels of both classes",))
        scores = ScoreTable.from_samples(self.samples, np.where(ties, pairs.model, pairs.file))
        return evolve(result, acer_before=_acer(self.reference, value), acer_after=_acer(scores, value))

    def _subset_differences(self, scorer: Scorer) -> dict[tuple[str, ...], NDArray[np.float64]]:
        """Return |score differences| for every subset of the modalities; empty for a model that needs all."""
        if not self.card.input.partial:
            return {}
        images, names = self.images(SUBSET_SAMPLES), self.card.modalities
        differences = {}
        for subset in subsets(names):
            presence = np.tile([name in subset for name in names], (len(images[names[0]]), 1))
            differences[subset] = np.abs(scorer(images, presence) - self.scorer(images, presence))
        return differences

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
        samples = spread(samples if card.input.partial else samples.need(card.input.photos), count)
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


def _acer(scores: ScoreTable, threshold: float) -> float:
    return float(scores.rates.apcer(threshold) + scores.rates.bpcer(threshold)) / 2
