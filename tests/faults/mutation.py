"""Seeded mutations of files, and a run of a reader over them within limits of memory and time.

    inputs = mutations([valid_file, another], count=500, seed=1)
    assert run_reader(read, inputs) == []

A reader takes bytes; a result or a FasError of one line is right, all else is a fault.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import select
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen
from faults.counts import count

from fas_core import FasError

MEMORY = 1 << 30
"""Bytes that a reader may take beyond what the test itself holds."""

SECONDS = 10.0
"""Time that a reader may take for one input."""

TOKENS: tuple[bytes, ...] = (
    *(bytes([value]) * size for value in (0x00, 0x7F, 0x80, 0xFF) for size in (1, 2, 4, 8)),
    *(number.to_bytes(4, order) for number in (1, 16_000, 0x7FFF_FFFF) for order in ("little", "big")),
    *(b"-1", b"nan", b"1e999", b"9" * 5000, b"null", b"[]", b"{}", b'""', b"true", b"\r\n", b'"', b","),
    *("é\u202e\U0001f600".encode(), "ä".encode("latin-1"), b"\xef\xbb\xbf", b"[" * 3000, b"\x1b[2J"),
)
"""What mutations insert: extreme numbers in binary and as text, values of other types, odd characters."""


@frozen
class Fault:
    """An input that gave neither a result nor a FasError, and what happened."""

    number: int
    reason: str
    data: bytes

    def __repr__(self) -> str:
        text = repr(self.data[:80]) + ("..." if len(self.data) > 80 else "")
        return f"\ninput {self.number}, {len(self.data)} bytes, {text}: {self.reason}"


def mutations(originals: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield `count` mutations of the originals; the same seed gives the same bytes."""
    for number in range(count):
        random = Random(f"{seed} {number}")
        data = random.choice(originals)
        for _ in range(random.choice((1, 1, 2, 5))):
            data = mutate(data, random, originals)
        yield data


def mutate(data: bytes, random: Random, originals: Sequence[bytes] = ()) -> bytes:
    """Change one thing: bits, bytes, a token, a range that is removed, repeated, or from another original."""
    start, end = sorted(random.randint(0, len(data)) for _ in range(2))
    if random.random() < 0.7:
        end = min(end, start + random.choice((1, 2, 4, 8, 32)))
    head, middle, tail = data[:start], data[start:end], data[end:]
    other = random.choice([*originals, b""])
    position = random.randint(0, len(other))
    return random.choice(
        (
            lambda: head + bytes(byte ^ 1 << random.randrange(8) for byte in middle) + tail,
            lambda: head + random.randbytes(len(middle)) + tail,
            lambda: head + random.choice(TOKENS) + data[start:],
            lambda: head + (token := random.choice(TOKENS)) + data[start + len(token) :],
            lambda: head + tail,
            lambda: head + middle * random.choice((2, 3, 100)) + tail,
            lambda: head if random.random() < 0.3 else head + other[position : position + len(middle)] + tail,
        )
    )()


def run_reader(
    read: Callable[[bytes], object], inputs: Iterable[bytes], memory: int = MEMORY, seconds: float = SECONDS
) -> list[Fault]:
    """Run a reader over inputs in a forked child; return the faults.

    Whatever takes more than `seconds` or more than `memory` bytes is a fault, and another child goes on.
    """
    faults, remaining = [], list(enumerate(inputs))
    count("mutations", len(remaining))
    while remaining:
        done, child_faults = _run_child(read, remaining, memory, seconds)
        faults += child_faults
        remaining = remaining[done:]
    return faults


def _run_child(
    read: Callable[[bytes], object], inputs: Sequence[tuple[int, bytes]], memory: int, seconds: float
) -> tuple[int, list[Fault]]:
    """Return the number of inputs that a child went through until its end, and the faults."""
    receiving, sending = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child uses none of the parent's threads
        process = os.fork()
    if not process:
        os.close(receiving)
        _read_all(read, inputs, memory, sending)
    os.close(sending)
    faults, done, is_slow = [], 0, False
    with os.fdopen(receiving, "rb", buffering=0) as stream:
        buffer = b""
        while True:
            if not select.select([stream], [], [], seconds)[0]:
                is_slow = True
                os.kill(process, signal.SIGKILL)
                break
            if not (chunk := stream.read(1 << 16)):
                break
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                if line:
                    faults.append(Fault(inputs[done][0], line.decode(), inputs[done][1]))
                done += 1
    _, status = os.waitpid(process, 0)
    if done < len(inputs):
        code = os.waitstatus_to_exitcode(status)
        reason = f"takes more than {seconds:g} s" if is_slow else f"ends the process ({code})"
        faults.append(Fault(inputs[done][0], reason, inputs[done][1]))
        done += 1
    return done, faults


def _read_all(
    read: Callable[[bytes], object], inputs: Sequence[tuple[int, bytes]], memory: int, sending: int
) -> Any:
    """Send a line for each input: what is wrong, or nothing. Does not return."""
    faulthandler.disable()
    gc.freeze()  # to collect the parent's objects could wait for threads that are not here
    with suppress(BaseException):
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + memory, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for _, data in inputs:
            os.write(sending, (_describe_fault(read, data) + "\n").encode())
    os._exit(0)


def _describe_fault(read: Callable[[bytes], object], data: bytes) -> str:
    """Return what is wrong with a reader's answer; nothing if it is right."""
    try:
        read(data)
    except FasError as error:
        if "\n" in error.message:
            return f"an error of several lines: {error.message!r}"
    except BaseException as error:
        *_, frame = traceback.extract_tb(sys.exc_info()[2])
        return f"{type(error).__name__} at {frame.filename}:{frame.lineno}: {str(error)[:300]!r}"
    return ""
