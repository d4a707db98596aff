import signal

import pytest

from fas_core.data.reading_processes import explain_death, naming_deaths, print_unless_disconnected


@pytest.mark.parametrize(
    ("exit_codes", "message"),
    [
        ({7: -signal.SIGKILL}, "(pid 7) ended early (signal: Killed), most likely because memory ran out"),
        ({7: -signal.SIGBUS}, "(pid 7) ended early (signal: Bus error), most likely because memory ran out"),
        ({8: 1, 7: 1}, "(pid 7, 8) ended early, most likely because memory ran out"),
        ({}, "(pid unknown) ended early, most likely because memory ran out"),
        (
            {7: -signal.SIGSEGV},
            "(pid 7) ended early by a signal (Segmentation fault): --workers 0 reads without such processes",
        ),
    ],
)
def test_a_death_is_explained_by_its_exit_code(exit_codes: dict[int, int], message: str) -> None:
    assert message in explain_death(exit_codes)


def test_other_errors_are_not_taken_for_a_death_of_a_worker() -> None:
    with pytest.raises(RuntimeError, match=r"^shapes differ$"), naming_deaths(list):
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
