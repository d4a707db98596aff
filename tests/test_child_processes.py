"""Processes that a command starts leave its signals to it, and end with it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from fas_core.child_processes import holding_back_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

WORKER = """
import multiprocessing, os, time
from fas_core.child_processes import STOP_SIGNALS, holding_back_signals, kill_workers, leave_signals_to_parent

def work():
    leave_signals_to_parent()
    time.sleep(600)

worker = multiprocessing.get_context("fork").Process(target=work, daemon=True)
with holding_back_signals():
    worker.start()
for number in STOP_SIGNALS:
    os.kill(worker.pid, number)
worker.join(0.3)
print(worker.is_alive())
kill_workers()
worker.join(60)
print(worker.exitcode)
"""


def test_a_worker_outlives_signals_and_is_killed_with_the_others() -> None:
    command = [sys.executable, "-c", WORKER]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout.split(), done.stderr) == (["True", str(-signal.SIGKILL)], "")


def test_a_signal_comes_after_the_block_that_holds_it_back() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    try:
        with holding_back_signals():
            signal.raise_signal(signal.SIGUSR1)
            assert received == []
        assert received == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
