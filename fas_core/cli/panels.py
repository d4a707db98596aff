"""The groups in which help shows options: `option("--data", panel=panels.DATA, ...)`.

A command may name others. Groups come in the order of their first options; what has no group comes last,
under `Options`.
"""

from __future__ import annotations

RECIPE = "Recipe"
RUN = "Run"
DATA = "Data"
SCORE_FILES = "Score files"
MODEL = "Model"
TRAINING = "Training"
FACES = "Faces"
VERDICTS = "Verdicts"
FIGURES = "Figures"
MACHINE = "Machine"
OUTPUT = "Output"
