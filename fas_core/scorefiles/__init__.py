"""Anybody's file of scores as a score table: guessed where it is plain, refused where it is not."""

from fas_core.scorefiles.raw import Raw, read_raw
from fas_core.scorefiles.read import Reading, ScoreFile, read_scores, refuse_shared

__all__ = ["Raw", "Reading", "ScoreFile", "read_raw", "read_scores", "refuse_shared"]
