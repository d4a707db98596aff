"""The program `fas`, outside of fas_core: Ctrl-C while that is imported ends with a line, too."""

from __future__ import annotations

import gc
import sys

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""


def run() -> None:
    """Run `fas` by the arguments of this process."""
    try:
        from fas_core.quick_start import importing

        with importing():
            from fas_core.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(INTERRUPTED)
    gc.freeze()  # the program's own modules need not be searched again
    main(prog_name="fas")
