"""Calls timed in turn, and which file is recommended."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.exporting.benchmark import IN_A_ROW, Benchmark, Speed, measure, recommend
from fas_core.exporting.cpu import Cpu


def speed(name: str, ratio: float, change: float | None) -> Speed:
    acer = None if change is None else 0.1 + change
    return Speed(name, Path(f"{name}.onnx"), 10 / ratio, ratio, acer, change)


@pytest.mark.parametrize(
    ("files", "best"),
    [
        ([("fp32", 3.0, 0.0), ("int8", 6.0, 0.0019), ("pruned", 9.0, 0.0021)], "int8"),
        ([("fp32", 3.0, 0.0), ("int8", 2.0, -0.01)], "fp32"),
        ([("fp32", 3.0, 0.002)], "fp32"),
        ([("int8", 3.0, 0.01)], None),
        ([("fp32", 3.0, 0.0), ("int8", 6.0, None)], "fp32"),
        ([("fp32", 3.0, None), ("int8", 6.0, None)], "int8"),
        ([], None),
    ],
)
def test_the_fastest_whose_error_rate_is_allowed(
    files: list[tuple[str, float, float | None]], best: str | None
) -> None:
    found = recommend([speed(*file) for file in files])
    assert (None if found is None else found.name) == best


def test_another_limit() -> None:
    """That of `--set acer_loss`, which the files passed."""
    files = [speed("fp32", 3.0, 0.0), speed("int8", 6.0, 0.004), speed("pruned", 9.0, 0.006)]
    best = recommend(files, acer_loss=0.005)
    assert best is not None
    assert best.name == "int8"
    none = Benchmark(Cpu("a CPU", None), 10.0, (), recommend([speed("int8", 3.0, 0.01)], 0.005), 0.005)
    assert (
        none.advice() == "recommended: none: the ACER of every file is more than 0.5 points above the model's"
    )


def test_in_words() -> None:
    assert speed("openvino int8", 9.42, 0.0012).text() == "openvino int8: 9.4 x, ACER +0.1 points"
    assert speed("onnx fp32", 3.0, 0.0).text() == "onnx fp32: 3.0 x, ACER +0.0 points"
    assert speed("onnx fp32", 3.0, None).text() == "onnx fp32: 3.0 x, ACER not known"


class Hands:
    """A clock that moves when a call says so."""

    def __init__(self) -> None:
        self.seconds, self.called = 0.0, ""

    def __call__(self) -> float:
        return self.seconds

    def takes(self, name: str, first: float, others: float) -> None:
        is_first = self.called[-1:] != name
        self.called += name
        self.seconds += first if is_first else others


def test_calls_are_in_turn_and_the_first_of_each_turn_does_not_count() -> None:
    clock = Hands()
    calls = {"a": lambda: clock.takes("a", 9.0, 0.002), "b": lambda: clock.takes("b", 9.0, 0.004)}
    found = measure(calls, repeat=18, seconds=1e9, clock=clock)
    assert found == {"a": pytest.approx(2.0), "b": pytest.approx(4.0)}
    assert clock.called == ("a" * IN_A_ROW + "b" * IN_A_ROW) * 3


def test_slow_calls_are_fewer() -> None:
    clock = Hands()
    measure({"a": lambda: clock.takes("a", 1.0, 1.0)}, repeat=1000, seconds=5.0, clock=clock)
    assert len(clock.called) == 3 * IN_A_ROW
