"""`python -m fas_core` is `fas`."""

from fas_program import run

run()
