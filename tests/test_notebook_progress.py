"""Progress in a notebook: bars in the output of the cell, drawn anew in place."""

from __future__ import annotations

import builtins
import sys
from types import ModuleType
from typing import Any

import pytest

from fas_core.console import Console


class Clock:
    """A clock that is set."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class ZMQInteractiveShell:
    """The name by which a kernel's shell is told from that of a terminal."""


class Output:
    """The output of a cell: what IPython was asked to draw in it, as text."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def display(self, item: Any, *, display_id: bool) -> Output:
        assert display_id
        self.update(item)
        return self

    def update(self, item: Any) -> None:
        bundle = item._repr_mimebundle_([], [])
        assert "<pre" in bundle["text/html"]
        self.drawn.append(bundle["text/plain"].rstrip())


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[Output]:
    """The outputs of a notebook, as if IPython ran this process."""
    made: list[Output] = []

    def display(item: Any, **options: Any) -> Output:
        made.append(Output())
        return made[-1].display(item, **options)

    module = ModuleType("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    return made


def test_a_task_is_drawn_in_place_at_most_twice_a_second(
    outputs: list[Output], capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    with Console(clock=clock).progress("epoch 1/3", 100, "samples") as progress:
        for _ in range(10):
            clock.seconds += 0.1
            progress.advance(10, loss="0.25")
    (output,) = outputs
    assert 3 <= len(output.drawn) <= 4
    assert output.drawn[0].startswith("epoch 1/3")
    assert " 0/100" in output.drawn[0]
    assert "100/100" in output.drawn[-1]
    assert "loss 0.25" in output.drawn[-1]
    assert capsys.readouterr() == ("", "")


def test_a_task_within_another_is_below_it_and_goes(outputs: list[Output]) -> None:
    console = Console(clock=Clock())
    with console.progress("run", 2) as run:
        for _ in range(2):
            with console.progress("dev [x]", 5):
                (output,) = outputs
                first, second = output.drawn[-1].splitlines()
                assert first.startswith("run")
                assert second.startswith("dev [x]")
            run.advance()
    assert [line.split()[0] for line in output.drawn[-1].splitlines()] == ["run"]
    with console.progress("next", 1):
        pass
    assert len(outputs) == 2


def test_quiet_draws_nothing(outputs: list[Output]) -> None:
    with Console(quiet=True).progress("run", 2) as run:
        run.advance()
    assert outputs == []
