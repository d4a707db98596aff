"""`python -m fas_core` is `fas`."""

from fas_core.cli import main

main(prog_name="fas")
