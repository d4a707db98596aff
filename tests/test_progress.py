"""Speed, remaining time and the text of a task's progress."""

from __future__ import annotations

import pytest

from fas_core.progress import Progress, format_duration, format_speed


class Clock:
    """A clock that is set."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_speed_and_remaining_time() -> None:
    clock = Clock()
    progress = Progress("reading", 50, "images", clock=clock)
    assert progress.remaining_seconds is None
    clock.seconds = 4
    progress.advance(20)
    assert progress.speed == 5
    assert progress.remaining_seconds == 6
    assert progress.describe() == "reading: 20 of 50 images, 5.0/s, 6 s left"


def test_what_an_earlier_process_did_has_no_speed() -> None:
    clock = Clock()
    progress = Progress("epoch 1/1", 100, "samples", done=60, clock=clock)
    clock.seconds = 10
    progress.advance(20)
    assert (progress.done, progress.speed, progress.remaining_seconds) == (80, 2, 10)


def test_a_finished_task_has_no_remaining_time() -> None:
    """It may be around another one, which goes on: an evaluation after the training."""
    clock = Clock()
    progress = Progress("run", 20, "samples", clock=clock)
    clock.seconds = 10
    progress.advance(20)
    assert progress.describe() == "run: 20 of 20 samples, 2.0/s"


def test_without_a_total() -> None:
    clock = Clock()
    progress = Progress("scoring", None, "samples", clock=clock)
    clock.seconds = 2
    progress.advance(40)
    assert progress.describe() == "scoring: 40 samples, 20/s"


def test_each_change_is_shown() -> None:
    shown: list[tuple[int, dict[str, object]]] = []
    progress = Progress("reading", 3, show=lambda progress: shown.append((progress.done, progress.values)))
    progress.advance()
    progress.advance(2, loss="0.5")
    assert shown == [(1, {}), (3, {"loss": "0.5"})]


@pytest.mark.parametrize(
    ("speed", "text"), [(0, "0/s"), (250.4, "250/s"), (9.96, "10.0/s"), (1, "1.0/s"), (0.5, "2 s each")]
)
def test_speeds(speed: float, text: str) -> None:
    assert format_speed(speed) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (3599, "60 min"),
        (7260, "2 h 1 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
