"""The card of a run: the threshold, its reference and what is known of them, as an export carries it."""

from __future__ import annotations

from fas_core.card import Card
from fas_core.config.load import to_plain
from fas_core.data.threshold_advice import ThresholdAdvice
from fas_core.errors import FasError
from fas_core.runs import files
from fas_core.runs.environment import read_environment, required_plugins
from fas_core.runs.run import Run
from fas_core.scores.calibration import ScoreReference
from fas_core.scores.live_scores import summarize_scores
from fas_core.scores.thresholds import parse_policy


def build_card(run: Run) -> Card:
    """Return the card that an export of the run carries.

    Raises:
        DataError: scores or results are damaged, or not those of the best weights.
    """
    calibration = run.calibration()
    run.fitting_scores()  # damaged ones are no reason to leave the threshold out
    try:
        threshold = run.trained_threshold()
    except FasError:
        threshold = None
    card = Card(
        input=run.recipe.input,
        threshold=threshold,
        recipe=to_plain(run.recipe, run.registry),
        data=run.results().get("data", {}),
        versions=read_environment()["packages"],
        plugins=required_plugins(run.recipe, run.registry),
        threshold_note=describe_threshold(run),
        novelty=run.novelty(),
        reference=build_reference(run),
    )
    return card if calibration is None else card.calibrate(calibration)


def build_reference(run: Run) -> ScoreReference | None:
    """Summarise the scores that thresholds are fitted on, and those of live samples of train."""
    fitting = run.fitting_scores()
    return None if fitting is None else summarize_scores(fitting, run.stored_scores(files.TRAIN_LIVE))


def read_threshold_advice(run: Run) -> ThresholdAdvice | None:
    """Return whether the threshold is recommended, and why, as training found it; None of older runs."""
    return ThresholdAdvice.from_json(run.results().get("threshold"))


def describe_threshold(run: Run) -> str:
    """Return the advice as a line; empty where there is none, or the threshold was given as a number."""
    advice = read_threshold_advice(run)
    return "" if advice is None or not parse_policy(run.recipe.threshold).fitted else advice.note
