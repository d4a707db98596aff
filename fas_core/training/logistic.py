"""Logistic regression on standardised features, where every person, session and class weighs the same.

The constant C, the inverse strength of the regularisation, is chosen by cross-validation: a fold's samples
are of people and of a session that its model was not fitted on, as far as the samples name them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from fas_core.data.held_out import HeldOutRows, hold_out_people_and_sessions
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_core.scores.rates import ErrorRates

GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of C among which cross-validation chooses. Smaller ones leave all scores close to 0.5."""

BLOCKS = 3
"""Blocks of people of the cross-validation, each held out together with one session at a time."""

Floats = NDArray[np.float64]


@frozen(eq=False)
class LinearClassifier:
    """The logit of live, `features @ weights + bias`, of features as they are: standardisation is folded in.

    Args:
        weights: (E,).
        C: with which it was fitted.
        loss: mean weighted cross-entropy of the samples that it was fitted on.
    """

    weights: Floats
    bias: float
    C: float = np.nan
    loss: float = np.nan

    def logits(self, features: NDArray[np.floating[Any]]) -> Floats:
        """(N, E) -> (N,)."""
        return features @ self.weights + self.bias


@frozen(eq=False)
class Selection:
    """The choice of C.

    Args:
        by: what was held out: `subject+session`, `subject`, `session` or `id`.
        errors: `{C: mean over the folds of the EER of the held-out samples}`.
    """

    C: float
    by: str
    errors: dict[float, float]


def balance_weights(samples: SampleTable) -> Floats:
    """Return (N,) weights by which each person, session and class weighs the same; their mean is 1.

    Every combination of class, person and session that occurs has the same total within its class, and the
    two classes have the same total. Samples that name no person or session are one person, one session.
    """
    keys = zip(samples.labels.tolist(), samples.column("subject"), samples.column("session"), strict=True)
    names = [tuple(map(str, key)) for key in keys]
    _, cells, counts = np.unique(np.array(names), axis=0, return_inverse=True, return_counts=True)
    cells = cells.reshape(-1)
    weights = 1 / counts[cells]
    for label in np.unique(samples.labels):
        rows = samples.labels == label
        weights[rows] /= weights[rows].sum()
    return np.asarray(weights * len(weights) / weights.sum(), np.float64)


def fit_logistic(
    features: NDArray[np.float32],
    live: NDArray[np.bool_],
    weights: Floats,
    C: float,  # noqa: N803
) -> LinearClassifier:
    """Fit a logistic regression on standardised features: minimise |w|^2 / 2 + C x (weighted cross-entropy).

    Args:
        features: (N, E); those that are constant have no effect.
        live: (N,) the classes, both of which occur.
        weights: (N,) of the samples, in the standardisation as well.
        C: inverse strength of the regularisation, as in scikit-learn.
    """
    from sklearn.linear_model import LogisticRegression

    values = features.astype(np.float64)
    mean = np.average(values, axis=0, weights=weights)
    deviation = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    varies = deviation > 1e-6 * np.maximum(np.abs(mean), 1e-6)
    scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
    model = LogisticRegression(C=C, tol=1e-6, max_iter=10_000)
    model.fit((values - mean) * scale, live, sample_weight=weights)
    slopes = np.asarray(model.coef_[0] * scale, np.float64)
    classifier = LinearClassifier(slopes, float(model.intercept_[0] - mean @ slopes))
    signed = np.where(live, 1, -1) * classifier.logits(values)
    loss = float(np.average(np.logaddexp(0, -signed), weights=weights))
    return evolve(classifier, C=C, loss=loss)


def select_regularization(
    features: Sequence[NDArray[np.float32]], samples: SampleTable, weights: Floats, seed: int
) -> Selection:
    """Choose C from `GRID`, by the mean EER of the held-out folds; the smallest of equal ones.

    Each fold has a threshold of its own: where C is small, models of different samples have different scales.

    Args:
        features: (N, E) of the samples, then of their augmented copies, which are fitted on only.
        samples: N.

    Raises:
        DataError: there is no fold that has both classes on both sides.
    """
    live = samples.labels == 1
    by, folds = hold_out_people_and_sessions(samples, BLOCKS, seed)
    if not folds:
        raise DataError(
            f"{samples.root}: too few people and sessions to choose train.C by: set it, e.g. 0.001"
        )
    errors = {value: _held_out_error(value, features, live, weights, folds) for value in GRID}
    return Selection(min(GRID, key=lambda value: errors[value]), by, errors)


def _held_out_error(
    C: float,  # noqa: N803
    features: Sequence[NDArray[np.float32]],
    live: NDArray[np.bool_],
    weights: Floats,
    folds: Sequence[HeldOutRows],
) -> float:
    """Return the mean over the folds of the EER of the held-out samples."""
    errors = []
    for fold in folds:
        tables = [table[fold.train] for table in features]
        classifier = fit_copies(tables, live[fold.train], weights[fold.train], C)
        scores, bona_fide = classifier.logits(features[0][fold.held_out]), live[fold.held_out]
        rates = ErrorRates.of(scores[bona_fide], scores[~bona_fide])
        errors.append(rates.equal_error_threshold()[1])
    return float(np.mean(errors))


def fit_copies(
    features: Sequence[NDArray[np.float32]],
    live: NDArray[np.bool_],
    weights: Floats,
    C: float,  # noqa: N803
) -> LinearClassifier:
    """Fit on all tables of features, (N, E) each; a sample's copies share its weight, so C means the same."""
    count = len(features)
    return fit_logistic(np.concatenate(features), np.tile(live, count), np.tile(weights / count, count), C)
