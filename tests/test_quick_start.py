"""A short command looks for garbage where there may be some, and nowhere else."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fas_core.quick_start import importing


@pytest.fixture(autouse=True)
def collection() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_not_collected_while_modules_are_imported(enabled: bool) -> None:
    if not enabled:
        gc.disable()
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled() == enabled


def test_an_import_that_fails_leaves_it_as_it_was() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError("no such module")
    assert gc.isenabled()


def test_the_program_collects_garbage_in_its_commands() -> None:
    """What a command makes is collected, and what was imported before is not searched."""
    code = (
        "import atexit, gc, sys\n"
        "sys.argv = ['fas', '--version']\n"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10_000))\n"
        "from fas_program import run\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True"


def test_what_is_written_last_arrives_though_the_last_collection_is_skipped() -> None:
    code = (
        "import weakref\n"
        "from fas_core.quick_start import skip_last_collection\n"
        "skip_last_collection()\n"
        "class Holder: pass\n"
        "holder = Holder()\n"
        "weakref.finalize(holder, print, 'finalized')\n"
        "print('last', end='')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "lastfinalized\n"
