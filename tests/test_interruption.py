"""Signals: a step ends first, elsewhere the command stops where it is, a second signal ends it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from fas_core.child_processes import STOP_SIGNALS
from fas_core.interruption import Interrupted, Interruption, interruptible

LONG = 30.0
"""Seconds of a wait that a signal is to end."""

STUCK = """
import hashlib, multiprocessing, os, signal, threading, time
from fas_core.child_processes import leave_signals_to_parent
from fas_core.interruption import SAME_REQUEST, interruptible

def work():
    leave_signals_to_parent()
    time.sleep(600)

def send():
    while True:
        time.sleep(SAME_REQUEST + 0.2)
        os.kill(os.getpid(), signal.SIGTERM)

multiprocessing.get_context("fork").Process(target=work, daemon=True).start()
print(multiprocessing.active_children()[0].pid, flush=True)
threading.Thread(target=send, daemon=True).start()
with interruptible() as interruption, interruption.stepping():
    hashlib.pbkdf2_hmac("sha256", b"", b"", 1 << 30)  # takes minutes without returning to Python
"""


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """`nohup` ignores SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def wait() -> None:
    """Wait until a signal ends it."""
    threading.Event().wait(LONG)
    pytest.fail("nothing has interrupted the main thread")


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_step_ends_before_the_command_stops(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, answers = [], []

    def run(interruption: Interruption) -> None:
        with interruption.stepping():
            assert not interruption.requested
            signal.raise_signal(number)
            steps.append(interruption.requested)
            while not answers:  # while the step goes on
                answers.extend(capsys.readouterr().err.splitlines())
                time.sleep(0.01)
        steps.append(False)

    with interruptible() as interruption, pytest.raises(Interrupted, match=number.name) as raised:
        run(interruption)
    assert steps == [True]
    assert raised.value.exit_code == 128 + number
    assert answers == ["warning: stopping after this step; again to stop now"]


def test_elsewhere_the_command_stops_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> None:
        signal.raise_signal(signal.SIGTERM)
        wait()

    with interruptible(), pytest.raises(Interrupted):
        run()
    assert "warning: stopping; again to stop now" in capsys.readouterr().err


def test_a_callback_that_swallows_errors_does_not_swallow_the_signal() -> None:
    """Python swallows what callbacks of weak references raise, which its imports have."""

    class Module:
        pass

    def swallow(_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        wait()

    def run() -> None:
        modules.clear()
        wait()

    modules = [Module()]
    reference = weakref.ref(modules[0], swallow)
    with interruptible(), pytest.raises(Interrupted):
        run()
    assert reference() is None


def test_a_signal_that_is_sent_twice_is_one() -> None:
    """`timeout` sends it to the process and to its group."""

    def run(interruption: Interruption) -> None:
        with interruption.stepping():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)

    with interruptible() as interruption, pytest.raises(Interrupted):
        run(interruption)


def test_a_second_signal_ends_the_process_and_its_workers_at_once() -> None:
    """Also while the main thread is in a computation that does not return to Python."""
    command = [sys.executable, "-c", STUCK]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr.splitlines() == [
        "warning: stopping after this step; again to stop now",
        "error: stopped at once; what was saved before stays",
    ]
    for _ in range(200):  # until the system has ended it
        if not is_running(int(done.stdout)):
            return
        time.sleep(0.05)
    pytest.fail("its worker is still there")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    return state[0] != "Z"  # a zombie whose parent has ended stays a moment


def test_usr1_can_ask_to_save_and_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with interruptible() as interruption:
        interruption.continue_on_usr1 = True
        signal.raise_signal(signal.SIGUSR1)
        assert not interruption.requested
        assert interruption.take_save_request()
        assert not interruption.take_save_request()
    assert "warning: saving after this step, and going on" in capsys.readouterr().err


def test_one_block_within_another_is_the_same() -> None:
    with interruptible() as outer:
        with interruptible() as inner:
            assert inner is outer
        with pytest.raises(Interrupted), outer.stepping():
            signal.raise_signal(signal.SIGINT)


def test_handlers_are_restored_also_after_an_error() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS], sys.unraisablehook
    with pytest.raises(ValueError, match="stop"), interruptible():
        raise ValueError("stop")
    assert ([signal.getsignal(number) for number in STOP_SIGNALS], sys.unraisablehook) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_nohup_is_respected() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptible() as interruption:
        signal.raise_signal(signal.SIGHUP)
        assert not interruption.requested


def test_outside_the_main_thread_nothing_is_caught() -> None:
    handlers: list[object] = []
    interruptions: list[Interruption] = []

    def run() -> None:
        with interruptible() as interruption:
            handlers.append(signal.getsignal(signal.SIGINT))
            interruptions.append(interruption)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert handlers == [before]
    assert not interruptions[0].requested
