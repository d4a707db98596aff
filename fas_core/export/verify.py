"""Whether an exported model is the model: scores, decisions and error rates on the run's own samples."""

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
    """The model and the samples that its exports are compared on.

    Args:
        scorer: of the model.
        samples: of the split.
        split: its name.
        card: the model's.
    """

    scorer: Scorer
    samples: SampleTable
    split: str
    card: Card

    @cached_property
    def reference(self) -> ScoreTable:
        """What the model gives."""
        return self._scores(self.scorer, "the model")

    def images(self, count: int) -> Images:
        """Up to `count` of the samples, labels mixed, as the model's input."""
        chosen = spread(self.samples, count)
        turn = np.random.default_rng(0).permutation(len(chosen))
        return self._read(chosen.take(turn))

    def verifier(self, destination: Path) -> Verify:
        """For an exporter of one file, which messages name."""

        def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
            found = self._compare(scorer, destination)
            _judge(found, tolerance, acer_loss, destination)
            return evolve(found, latency=latency(scorer, self.images(1)))

        return verify

    def _compare(self, scorer: Scorer, destination: Path) -> Verification:
        exported, reference = self._scores(scorer, destination.name), self.reference
        difference = np.abs(exported.scores - reference.scores)
        worst = max(float(difference.max()), self._worst_of_subsets(scorer))
        found = Verification(len(self.samples), self.split, worst, float(difference.mean()))
        if self.card.threshold is None:
            return evolve(found, unverified=("decisions and ACER: no threshold goes with the model",))
        value = self.card.threshold.value
        changed = int(np.sum((exported.scores >= value) != (reference.scores >= value)))
        found = evolve(found, threshold=value, changed=changed)
        if self.split != "dev":
            return evolve(found, unverified=(f"ACER on dev: the data has no dev split, only {self.split}",))
        if not reference.rates.has_both_classes:
            return evolve(found, unverified=("ACER on dev: it has no labels of both classes",))
        return evolve(found, acer_before=_acer(reference, value), acer_after=_acer(exported, value))

    def _worst_of_subsets(self, scorer: Scorer) -> float:
        """The largest difference where modalities are missing; 0 for a model that needs all."""
        if not self.card.input.partial:
            return 0.0
        images, names = self.images(SUBSET_SAMPLES), self.card.modalities
        count = len(images[names[0]])
        worst = 0.0
        for part in subsets(names):
            presence = np.tile([name in part for name in names], (count, 1))
            difference = scorer(images, presence) - self.scorer(images, presence)
            worst = max(worst, float(np.abs(difference).max()))
        return worst

    def _scores(self, scorer: Scorer, description: str) -> ScoreTable:
        return score_samples(
            scorer, self.samples, model_input=self.card.input, description=f"scoring by {description}"
        )

    def _read(self, samples: SampleTable) -> Images:
        model_input = self.card.input
        presence = presence_of(samples, model_input.modalities) if model_input.partial else None
        (images,) = batches(samples, model_input, len(samples), 2, presence)
        return images


def compare_on(run: Run, scorer: Scorer, card: Card, count: int, data: str | None = None) -> Comparison:
    """Up to `count` samples of the run's own data, of dev where there is one.

    Args:
        data: other data than the run's own, as a user names it.

    Raises:
        DataError: the data is not there, or not any more.
    """
    own, registry = run.recipe.data, run.registry
    try:
        chosen = own if data is None else replace_dataset(data, own, registry)
        reader = open_choice(evolve(chosen, train_on_dev=False), registry)  # dev does, trained on or not
        split = next((name for name in SPLITS if name in reader.splits()), reader.splits()[0])
        samples = reader.samples(split)
        samples = spread(samples if card.input.partial else samples.need(card.modalities), count)
        found = Comparison(scorer, samples, split, card)
        _ = found.reference
        return found
    except DataError as error:
        raise DataError(
            f"{run.path}: data is needed, to compare the export with the model: {error.message} "
            "(--data names other data; any faces do, e.g. --data synthetic)"
        ) from error


def spread(samples: SampleTable, count: int) -> SampleTable:
    """`count` of the samples, or all: labels by their shares, places over the whole table."""
    if not len(samples):
        raise DataError(f"{samples.root}: no samples")
    by_label = np.argsort(samples.labels, kind="stable")
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(np.intp)
    return samples.take(by_label[places])


def latency(scorer: Scorer, image: Images) -> float:
    """Median milliseconds of a call with one sample."""
    taken: list[float] = []
    scorer(image)
    while len(taken) < REPEATS and sum(taken) < SECONDS:
        start = perf_counter()
        scorer(image)
        taken.append(perf_counter() - start)
    return median(taken) * 1000


def _judge(found: Verification, tolerance: float | None, acer_loss: float, destination: Path) -> None:
    where = f"on {found.samples} samples of {found.split}"
    allowed = np.inf if tolerance is None else tolerance
    if not (np.isfinite(found.max_difference) and found.max_difference <= allowed):
        limit = "" if tolerance is None else f", more than the {tolerance:g} allowed"
        raise ModelError(
            f"{destination}: not written: its scores and the model's differ by up to "
            f"{found.max_difference:.2g} {where}{limit}"
        )
    if found.acer_before is None or found.acer_after is None:
        return
    if found.acer_after - found.acer_before > acer_loss + 1e-12:
        raise ModelError(
            f"{destination}: not written: ACER {where} is {found.acer_after:.2%} and the model's "
            f"{found.acer_before:.2%}: worse by more than the {100 * acer_loss:g} points allowed"
        )


def _acer(scores: ScoreTable, threshold: float) -> float:
    rates: NDArray[np.float64] = (scores.rates.apcer(threshold) + scores.rates.bpcer(threshold)) / 2
    return float(rates)
