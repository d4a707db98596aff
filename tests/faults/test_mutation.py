"""The harness of mutations sees what it is there for."""

from __future__ import annotations

import os
import time

from faults.mutation import mutations, run_reader

from fas_core import FasError


def read(data: bytes) -> object:
    """Do what an input says."""
    if data == b"refuse":
        raise FasError("not this one")
    if data == b"several lines":
        raise FasError("one\ntwo")
    if data == b"bug":
        raise TypeError("a bug")
    if data == b"bomb":
        return bytes(1 << 30)
    if data == b"crash":
        os.abort()
    if data == b"hang":
        time.sleep(60)
    return data


def test_faults_are_seen_and_the_rest_goes_on() -> None:
    inputs = [b"fine", b"refuse", b"bug", b"crash", b"fine", b"hang", b"bomb", b"several lines", b"fine"]
    faults = run_reader(read, inputs, memory=1 << 28, seconds=4)
    assert [(fault.number, fault.data) for fault in faults] == [
        (number, inputs[number]) for number in (2, 3, 5, 6, 7)
    ]
    reasons = [fault.reason for fault in faults]
    assert "TypeError at" in reasons[0]
    assert reasons[1] == "ends the process (-6)"
    assert reasons[2] == "takes more than 4 s"
    assert "MemoryError" in reasons[3]
    assert "several lines" in reasons[4]


def test_a_seed_gives_the_same_mutations() -> None:
    originals = [b"some text of a file", bytes(range(256))]
    first = list(mutations(originals, 200, seed=3))
    assert first == list(mutations(originals, 200, seed=3))
    assert first != list(mutations(originals, 200, seed=4))
    assert len({*first, *originals}) > 150
