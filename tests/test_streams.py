"""What anything but the console writes to stdout, while it is reserved, goes to stderr."""

from __future__ import annotations

import subprocess
import sys

RESERVED = """
import ctypes, os, subprocess, sys
from fas_core.console import console
try:
    with console.reserve_stdout():
        print("printed")
        os.write(1, b"raw\\n")
        ctypes.CDLL(None).puts(b"from C")
        subprocess.run([sys.executable, "-c", "print('child')"])
        console.info("ours")
        raise KeyError("x")
except KeyError:
    print("after")
"""


def test_what_c_code_and_children_write_goes_to_stderr_too() -> None:
    done = subprocess.run([sys.executable, "-c", RESERVED], capture_output=True, text=True, check=True)
    assert done.stdout == "ours\nafter\n"
    assert sorted(done.stderr.split("\n")) == ["", "child", "from C", "printed", "raw"]


def test_what_is_written_to_a_stream_kept_from_before_goes_to_stderr_too() -> None:
    code = (
        "import sys\nfrom fas_core.console import console\nkept = sys.stdout\n"
        "with console.reserve_stdout():\n    kept.write('kept')\n    console.document([])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "kept")
