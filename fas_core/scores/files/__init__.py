"""Anybody's file of scores as a score table: guessed where it is plain, refused where it is not."""

from fas_core.scores.files.read import ROLES, Reading, ScoreFile, read_scores, refuse_shared

__all__ = ["ROLES", "Reading", "ScoreFile", "read_scores", "refuse_shared"]
