"""The folder of the sockets by which Python's processes pass data, removed even after a kill.

`multiprocessing` makes a folder `pymp-*` for temporary files, which stays when the process is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from fas_core.atomic import make_temporary_folder

MAX_PATH = 60
"""Bytes of the path in which the folder is made: the path of a socket has 103 at most (macOS), with names."""
SHORT_PATH = Path("/tmp")


@cache
def use_locked_folder() -> None:
    """Give this process, and those that it starts, a folder that is locked as long as one of them lives.

    It is removed when this process ends; that of a killed process when the next one calls this. Windows has
    no such sockets.
    """
    if sys.platform == "win32":
        return
    process: Any = multiprocessing.current_process()
    if process._config.get("tempdir") is None:  # where `multiprocessing.util.get_temp_dir` looks first
        parent = Path(tempfile.gettempdir())
        if len(os.fsencode(parent)) > MAX_PATH:  # no process could connect to the others
            parent = SHORT_PATH
        folder, _ = make_temporary_folder(parent)
        process._config["tempdir"] = str(folder)
        Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-100)  # after all that use it
