import re

import pytest

from fas_core.data.reading_processes import WorkerError, name_worker_failures, print_unless_disconnected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "(pid 7) is killed by signal: Killed. ",
            "(pid 7) ended early (signal: Killed), most likely because",
        ),
        (
            "(pid 7) is killed by signal: Bus error. ",
            "(signal: Bus error), most likely because memory ran out",
        ),
        ("(pid(s) 7, 8) exited unexpectedly", "(pid 7, 8) ended early, most likely because memory ran out"),
        (
            "(pid 7) is killed by signal: Segmentation fault. ",
            "(pid 7) ended early by a signal (Segmentation fault): --workers 0 reads without such processes",
        ),
    ],
)
def test_pytorchs_messages_are_understood(text: str, message: str) -> None:
    with pytest.raises(WorkerError, match=re.escape(message)), name_worker_failures():
        raise RuntimeError(f"DataLoader worker {text}")


def test_other_errors_are_not_taken_for_a_death_of_a_worker() -> None:
    with pytest.raises(RuntimeError, match=r"^shapes differ$"), name_worker_failures():
        raise RuntimeError("shapes differ")


@pytest.mark.parametrize("error", [EOFError(), ConnectionResetError(), BrokenPipeError()])
def test_a_worker_says_nothing_of_a_training_process_that_has_hung_up(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    print_unless_disconnected(type(error), error, None)
    assert capsys.readouterr().err == ""


def test_a_worker_prints_other_errors_of_its_threads(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("a bug")
    print_unless_disconnected(ValueError, error, None)
    assert capsys.readouterr().err == "ValueError: a bug\n"
