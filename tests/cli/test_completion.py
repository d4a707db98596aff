"""Completion in shells: what bash, zsh and fish are told for a line that is being typed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import get_completion_class
from click.testing import Result

from fas_core import errors
from fas_core.cli import COMPLETING, main
from fas_core.cli.completion import WholeWords

Fas = Callable[..., Result]
Typed = Callable[[str], list[str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """`typed("fas tr")`: the words that bash is told, in a folder of runs and models."""
    monkeypatch.chdir(tmp_path)
    for run in ("runs/first", "runs/second", "runs/folds/fold-1"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "recipe.yaml").touch()
    (tmp_path / "runs" / "first" / "model.onnx").touch()
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "door.onnx").touch()
    (tmp_path / "CASIA-SURF").mkdir()

    def complete(line: str) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        answer = WholeWords(main, {}, "fas", COMPLETING).complete()
        pairs = [entry.split(",", 1) for entry in answer.splitlines()]
        return [value for name, value in pairs if name == "plain"]

    return complete


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fas tr", ["train"]),
        ("fas config s", ["show", "schema"]),
        ("fas runs ", ["list", "diff"]),
        ("fas train nuaa-f", ["nuaa-feathernet-b"]),
        ("fas tune text", ["texture-modal-fusion"]),
        ("fas train --config quick", ["quickstart"]),
        ("fas train --ran", ["--random-seed"]),
        ("fas train --amp f", ["fp32", "fp16"]),
        ("fas train --resume runs/", ["runs/first", "runs/folds/fold-1", "runs/second"]),
        ("fas export runs/f", ["runs/first", "runs/folds/fold-1"]),
        ("fas runs diff runs/first runs/s", ["runs/second"]),
        ("fas predict d", ["door.onnx"]),
        ("fas eval runs/fi", ["runs/first", "runs/first/model.onnx"]),
        ("fas eval model.onnx --data nu", ["nuaa"]),
        ("fas train --data casia_surf:CAS", ["CASIA-SURF"]),
        ("fas data check oulu", ["oulu_npu"]),
        ("fas train --set model.fus", ["model.fusion="]),
        ("fas train --set model.backbone=mobilen", ["mobilenetv2"]),
        ("fas train --set train.schedule=one", ["one_cycle"]),
        ("fas train --set train.lr=", []),
        ("fas import net.pth --arch cdcn", ["cdcn", "cdcnpp"]),
        ("fas predict door.onnx x.jpg --detector cen", ["centerface"]),
        ("fas export runs/first --format open", ["openvino"]),
        ("fas models get facenox-minifas-", ["facenox-minifas-int8"]),
        ("fas models show feathernet_b --fusion pipe", ["pipenet"]),
        ("fas plugins show cross_e", ["cross_entropy"]),
        ("fas completion z", ["zsh"]),
        ("fas trian --l", []),
    ],
)
def test_bash_is_told_the_words_that_fit(line: str, words: list[str], typed: Typed) -> None:
    assert typed(line) == words


def test_fetched_public_models_are_models(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAS_MODELS_DIR", str(tmp_path / "models"))
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    (tmp_path / "models" / "tiny" / "model.yaml").touch()
    assert typed("fas predict pub") == ["public:tiny"]
    assert typed("fas predict public:t") == ["tiny"]  # bash has divided the word at the colon


def test_a_missing_extra_does_not_stop_the_completion(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    assert typed("fas serve --scoring") == ["--scoring-timeout"]
    assert typed("fas tune --tri") == ["--trials"]


@pytest.mark.parametrize(
    ("shell", "environment", "expected"),
    [
        (
            "zsh",
            {"COMP_WORDS": "fas train nuaa-f", "COMP_CWORD": "2"},
            "plain\nnuaa-feathernet-b\nThe published",
        ),
        (
            "fish",
            {"COMP_WORDS": "fas train nuaa-f", "COMP_CWORD": "nuaa-f"},
            "plain,nuaa-feathernet-b\tThe pub",
        ),
    ],
)
def test_zsh_and_fish_are_told_what_the_words_mean(
    shell: str, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    kind = get_completion_class(shell)
    assert kind is not None
    assert expected in kind(main, {}, "fas", COMPLETING).complete()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_fas(shell: str, fas: Fas) -> None:
    shown = fas("completion", shell)
    assert shown.exit_code == 0
    assert f"{COMPLETING}={shell}_complete" in shown.stdout


def test_the_script_of_bash_works_in_bash(fas: Fas) -> None:
    script = fas("completion", "bash").stdout
    stub = 'fas() { echo "plain,train"; echo "plain,$COMP_LINE|$COMP_POINT"; echo file,; echo "plain,a b="; }'
    call = "COMP_LINE='fas x'; COMP_POINT=5; compopt() { echo \"compopt $*\"; }; _fas_completion fas"
    text = f"{stub}\n{script}\n{call}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"; complete -p fas"
    done = subprocess.run(["bash", "--norc", "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "compopt -o default",
        "compopt -o nospace",
        "train",
        "fas x|5",
        "a b=",
        "complete -o nosort -F _fas_completion fas",
    ]


def test_a_failure_says_nothing_into_the_line_that_is_typed(
    fas: Fas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(click.Group, "shell_complete", fail)
    monkeypatch.setenv(COMPLETING, "bash_complete")
    monkeypatch.setenv("COMP_LINE", "fas ")
    monkeypatch.setenv("COMP_POINT", "4")
    shown = fas("train")
    assert (shown.exit_code, shown.output) == (1, "")


def test_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys, atexit\n"
        "names = ('torch', 'onnxruntime', 'cv2', 'sklearn', 'matplotlib', 'pyarrow')\n"
        "atexit.register(lambda: print(*(name for name in names if name in sys.modules), file=sys.stderr))\n"
        "from fas_core.cli import main\n"
        "main()"
    )
    line = "fas train --set model.backbone=feathernet_"
    environment = {COMPLETING: "bash_complete", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["plain,feathernet_a", "plain,feathernet_b"]
    assert done.stderr == "\n"
