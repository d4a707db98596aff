"""A candidate that is judged by video: its threshold is then one of videos too."""

from __future__ import annotations

from attrs import evolve

from fas_core.errors import DataError
from fas_core.inference.loaded_model import LoadedModel
from fas_core.scores.thresholds import fit_threshold, parse_policy
from fas_core.scores.videos import Vote, by_video


def of_videos(candidate: LoadedModel, vote: Vote) -> LoadedModel:
    """The candidate with its dev scores aggregated, and its threshold fitted anew on them.

    A threshold that was fitted on frames is none for videos. Where there are no dev scores, as an exported
    model has none, or none of videos, there is no threshold and `why` says so; one that was given as a
    number stays.
    """
    own, dev = candidate.own_threshold, None
    why = (
        f"{candidate.path}: its own is fitted on frames, which is none for videos: judge the run folder, "
        f"or give --threshold fixed:VALUE"
    )
    if candidate.dev is not None:
        try:
            dev = by_video(candidate.dev, vote, name=f"{candidate.path}: dev scores")
        except DataError as error:
            why = error.message
    if own is None or not parse_policy(own.policy).fitted:
        return evolve(candidate, dev=dev)
    if dev is None:
        return evolve(candidate, dev=None, own_threshold=None, why=why)
    return evolve(candidate, dev=dev, own_threshold=fit_threshold(own.policy, dev, own.source))
