"""Score files of any program, read as score tables: what is unambiguous is inferred, the rest refused."""

from fas_core.scores.files.class_files import read_class_files
from fas_core.scores.files.read import ROLES, Reading, ScoreFile, read_scores, refuse_shared

__all__ = ["ROLES", "Reading", "ScoreFile", "read_class_files", "read_scores", "refuse_shared"]
