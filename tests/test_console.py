"""What reaches stdout and stderr: in a pipe, in a terminal, with --json and with --quiet."""

from __future__ import annotations

import errno
import io
import json
import math
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from fas_core.console import Console
from fas_core.errors import FasError
from fas_core.text_table import Styled, Table

TABLE = Table(
    "Rates in %",
    ("split", "TPR@FPR\n=1e-2", "notes"),
    [("dev", "99.00", "all [of] them"), ("test", "8.5", "–")],
    note="dev: a note [not markup]",
    left=(0, 2),
)
PLAIN = """\
Rates in %
       TPR@FPR
split    =1e-2  notes
dev      99.00  all [of] them
test       8.5  –
dev: a note [not markup]
"""
Streams = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def in_terminal(monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, Terminal]:
    """Stdout and stderr become terminals; in the test itself, since pytest sets its own after fixtures."""
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return out, err


FIGURES = Table(
    "Rates in %",
    ("", *(f"figure\n{letter}" for letter in "abcdefgh")),
    [
        ("test", *["12.34"] * 8),
        tuple(Styled(cell, "dim") for cell in ("  from", *["1.23"] * 7, "")),
    ],
    note="a note that is longer than any block of figures, so that it is folded as text is",
)


def test_a_pipe_gets_plain_aligned_text(capsys: Streams) -> None:
    Console().table(TABLE)
    assert capsys.readouterr().out == PLAIN


def test_a_pipe_gets_lines_of_any_length_and_no_markup(capsys: Streams) -> None:
    Console().info("[bold]x[/bold] " + "y" * 500)
    assert capsys.readouterr().out == "[bold]x[/bold] " + "y" * 500 + "\n"


def test_warnings_and_errors_go_to_stderr(capsys: Streams) -> None:
    console = Console()
    console.warn("careful [now]")
    console.error("train.lr: must be > 0: -1", ["and more"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "warning: careful [now]\nerror: train.lr: must be > 0: -1\n  and more\n"


def test_json_has_stdout_for_itself(capsys: Streams) -> None:
    console = Console(json=True)
    console.info("said on the side")
    console.table(TABLE)
    console.warn("careful")
    console.document({"acc": 0.5})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"acc": 0.5}
    assert err == "said on the side\nwarning: careful\n"


def test_quiet_leaves_results_warnings_and_errors(capsys: Streams) -> None:
    console = Console(quiet=True)
    console.info("said")
    console.next_steps(("fas", "train"))
    console.detail("how")
    console.result("the answer")
    console.lines("a: 1\nb: 2")
    console.table(TABLE)
    console.warn("careful")
    console.error("wrong")
    out, err = capsys.readouterr()
    assert out.startswith("the answer\na: 1\nb: 2\n")
    assert out.endswith(f"{TABLE.note}\n")
    assert err == "warning: careful\nerror: wrong\n"


def test_verbose_adds_details_and_the_time_of_tasks_on_stderr(capsys: Streams) -> None:
    seconds = [0.0]
    console = Console(verbose=True, clock=lambda: seconds[0])
    console.detail("how")
    with console.progress("reading", 30, "samples") as progress:
        progress.advance(30)
        seconds[0] = 12.345
    assert capsys.readouterr() == ("", "how\nreading: 30 samples in 12.3 s\n")
    Console().detail("how")
    assert capsys.readouterr() == ("", "")


def test_what_json_cannot_say_is_null(capsys: Streams) -> None:
    nan, inf = math.nan, math.inf
    Console(json=True).document(
        {"a": nan, "b": [inf, -inf, 1.5], "c": {"d": (nan, 2)}, 1: True, "e": np.float64(nan)}
    )
    assert json.loads(capsys.readouterr().out) == {
        "a": None,
        "b": [None, None, 1.5],
        "c": {"d": [None, 2]},
        "1": True,
        "e": None,
    }


def test_a_terminal_gets_a_drawn_table_and_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = in_terminal(monkeypatch)
    console = Console()
    console.table(TABLE)
    console.warn("careful")
    drawn = out.getvalue()
    assert "─" in drawn
    assert "all [of] them" in drawn
    assert "a note [not markup]" in drawn
    assert "\x1b[33m" in err.getvalue()


def test_the_console_follows_the_stream(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console()
    console.info("first")
    other = io.StringIO()
    monkeypatch.setattr(sys, "stdout", other)
    console.info("second")
    assert (capsys.readouterr().out, other.getvalue()) == ("first\n", "second\n")


class Clock:
    """A clock that is set."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize("as_json", [False, True])
def test_a_pipe_gets_a_line_of_progress_every_30_seconds(capsys: Streams, as_json: bool) -> None:
    clock = Clock()
    # The line comes after 37.5 s; the next is due after 67.5 s.
    with Console(json=as_json, clock=clock).progress("epoch 1/3", 500, "samples") as progress:
        for _ in range(5):
            clock.seconds += 12.5
            progress.advance(100, loss="0.5")
    assert capsys.readouterr() == (
        "",
        "epoch 1/3: 300 of 500 samples, 8.0/s, 25 s left, loss 0.5\n",
    )


def test_progress_goes_on_from_what_was_done_before(capsys: Streams) -> None:
    clock = Clock()
    with Console(clock=clock).progress("cropping", 1000, "photos", done=400) as progress:
        clock.seconds += 60
        progress.advance(100)
        clock.seconds += 20
        progress.advance(50)
    assert capsys.readouterr().err == "cropping: 500 of 1000 photos, 1.7/s, 5 min left\n"


def test_a_short_task_prints_nothing_in_a_pipe(capsys: Streams) -> None:
    clock = Clock()
    with Console(clock=clock).progress("reading", 3) as progress:
        clock.seconds += 29
        progress.advance()
    assert capsys.readouterr() == ("", "")


def test_quiet_prints_no_progress(capsys: Streams) -> None:
    clock = Clock()
    with Console(quiet=True, clock=clock).progress("reading", 3) as progress:
        clock.seconds += 100
        progress.advance()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_in_a_terminal_is_on_stderr(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    out, err = in_terminal(monkeypatch)
    with Console(quiet=quiet).progress("reading", 3) as progress:
        for _ in range(3):
            progress.advance(loss="0.5")
    assert out.getvalue() == ""
    assert ("reading" in err.getvalue()) is not quiet
    assert ("loss 0.5" in err.getvalue()) is not quiet


def test_a_bar_within_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = in_terminal(monkeypatch)
    console = Console()
    with console.progress("systems", 2) as systems:
        for _ in range(2):
            with console.progress("bootstrap", 10) as replicates:
                replicates.advance(10)
            systems.advance()
    assert "systems" in err.getvalue()
    assert "bootstrap" in err.getvalue()


def test_lines_above_bars_reach_the_terminal_whole_and_bars_leave_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes to stdout is printed through the console of the bars, else it would be in their midst."""
    out, err = in_terminal(monkeypatch)
    console = Console()
    with console.progress("run", 2) as run:
        console.info("epoch 1")
        run.advance()
        with console.progress("dev", 1) as dev:
            console.warn("careful")
            dev.advance()
    console.info("done")
    assert out.getvalue() == "done\n"
    assert "epoch 1\n" in err.getvalue()
    assert "warning: careful" in err.getvalue()


def test_stdout_in_a_pipe_gets_its_lines_while_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    in_terminal(monkeypatch)
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    console = Console()
    with console.progress("run", 2):
        console.info("epoch 1")
    assert out.getvalue() == "epoch 1\n"


def test_a_line_of_a_task_within_another_tells_of_both(capsys: Streams) -> None:
    clock = Clock()
    console = Console(clock=clock)
    with console.progress("run", 100, "samples") as run:
        clock.seconds += 20
        run.advance(40)
        with console.progress("dev", 20, "samples") as dev:
            clock.seconds += 10
            dev.advance(10)
            run.advance()
    line = "dev: 10 of 20 samples, 1.0/s, 10 s left; run: 40 of 100 samples, 1.3/s, 45 s left\n"
    assert capsys.readouterr().err == line


def test_next_steps_can_be_pasted(capsys: Streams, tmp_path: Path) -> None:
    path = tmp_path / "my model.onnx"
    Console().next_steps(("fas", "report", "runs/a"), ("fas", "serve", path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["next:", "  fas report runs/a"]
    assert shlex.split(lines[2]) == ["fas", "serve", str(path)]


def test_an_empty_table_is_its_header(capsys: Streams) -> None:
    Console().table(Table("", ("recipe", "summary"), []))
    assert capsys.readouterr().out == "recipe  summary\n"


def test_figures_that_do_not_fit_go_on_below(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = in_terminal(monkeypatch)
    Console().table(FIGURES)
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()).splitlines()]
    assert lines == [
        "",
        "Rates in %",
        "        figure  figure  figure  figure  figure  figure",
        "             a       b       c       d       e       f",
        "─" * 54,
        "test     12.34   12.34   12.34   12.34   12.34   12.34",
        "  from    1.23    1.23    1.23    1.23    1.23    1.23",
        "        figure  figure",
        "             g       h",
        "─" * 22,
        "test     12.34   12.34",
        "  from    1.23",
        "a note that is longer than any block of figures, so that it",
        "is folded as text is",
    ]


def test_rows_without_figures_are_left_out_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = in_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "54")
    Console().table(Table("", ("", *FIGURES.columns[2:]), [(row[0], *row[2:]) for row in FIGURES.rows]))
    assert out.getvalue().count("from") == 1
    assert out.getvalue().count("test") == 2


def test_a_pipe_has_one_line_a_row(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Console().table(FIGURES)
    assert capsys.readouterr().out.splitlines()[3:] == [
        "test     12.34   12.34   12.34   12.34   12.34   12.34   12.34   12.34",
        "  from    1.23    1.23    1.23    1.23    1.23    1.23    1.23",
        FIGURES.note,
    ]


def test_a_name_wider_than_the_terminal_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = in_terminal(monkeypatch)
    Console().table(Table("", ("", "Acc", "EER"), [("n" * 100, "99.00", "1.00")]))
    text = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
    assert max(map(len, text.splitlines())) <= 60
    assert text.count("n") == 200
    assert "99.00" in text
    assert "1.00" in text


@pytest.mark.parametrize(("no_color", "green"), [("", True), ("1", False)])
def test_styles_of_cells(monkeypatch: pytest.MonkeyPatch, no_color: str, green: bool) -> None:
    out, _ = in_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", no_color)
    Console().table(Table("", ("a", "b"), [(Styled("dimmed", "dim"), Styled("coloured", "green"))]))
    assert "\x1b[2mdimmed\x1b[0m" in out.getvalue()
    assert ("\x1b[32mcoloured" in out.getvalue()) is green
    assert "coloured" in out.getvalue()


def test_width_and_blocks(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Console().width, Console().blocks) == (80, False)
    in_terminal(monkeypatch)
    assert Console().width == 60
    monkeypatch.setenv("COLUMNS", "200")
    assert Console().width == 80


@pytest.mark.parametrize(("encoding", "blocks"), [("utf-8", True), ("ascii", False), ("cp1252", False)])
def test_what_the_encoding_lacks_is_escaped(
    monkeypatch: pytest.MonkeyPatch, encoding: str, blocks: bool
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", stream)
    Console().info("runs/\u03b1")
    assert Console().blocks is blocks
    stream.flush()
    written = stream.buffer.getvalue().decode(encoding)
    assert written == ("runs/\u03b1\n" if blocks else "runs/\\u03b1\n")


def test_reserved_stdout_is_for_the_console_alone(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console()
    with console.reserve_stdout(), console.reserve_stdout():
        sys.stdout.write("theirs\n")
        console.document({"a": 1})
    sys.stdout.write("after\n")
    captured = capfd.readouterr()
    assert captured.out == '{\n  "a": 1\n}\nafter\n'
    assert captured.err == "theirs\n"


def test_a_warning_is_printed_once_and_again_after_a_reset(capsys: Streams) -> None:
    console = Console()
    console.warn_once("a")
    console.warn_once("a")
    console.reset()
    console.warn_once("a")
    assert capsys.readouterr().err == "warning: a\nwarning: a\n"


HOSTILE = "a\x1b]0;t\x07[red]\u202e:dog:\nerror: forged\udcb2"
SHOWN = r"a\x1b]0;t\x07[red]\u202e:dog:\nerror: forged\xb2"


@pytest.mark.parametrize("terminal", [False, True])
def test_names_are_shown_with_controls_escaped(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams, terminal: bool
) -> None:
    streams = in_terminal(monkeypatch) if terminal else None
    monkeypatch.setenv("COLUMNS", "200")
    console = Console()
    console.info(HOSTILE)
    console.warn(HOSTILE)
    console.error(HOSTILE, [HOSTILE])
    console.table(Table(HOSTILE, (HOSTILE, ""), [(HOSTILE, Styled(HOSTILE, "dim"))], note=HOSTILE))
    with console.progress(HOSTILE, 2) as progress:
        progress.advance(1, loss=0.5)
    out, err = (stream.getvalue() for stream in streams) if streams else capsys.readouterr()
    out, err = (re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text) for text in (out, err))
    assert not set(out + err) & {"\x1b", "\x07", "\u202e", "\udcb2"}
    assert out.count(SHOWN) >= 3
    assert err.count(SHOWN) >= 3


def test_json_has_names_as_they_are_with_json_escapes(capsys: Streams) -> None:
    Console(json=True).document({HOSTILE: [HOSTILE]})
    out = capsys.readouterr().out
    assert out.isascii()
    expected = HOSTILE.replace("\udcb2", "\uefb2")
    assert json.loads(out) == {expected: [expected]}


def test_a_stream_that_cannot_be_written_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    for call in (lambda: Console().info("text"), lambda: Console(json=True).document({})):
        with pytest.raises(FasError, match=r"^stdout: cannot be written: No space"):
            call()
