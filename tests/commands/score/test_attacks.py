"""`fas score` of live samples and attacks in a file each, and of published files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Fas = Callable[..., Result]
REAL = "1 1 a 0.9\n2 2 b 0.8\n3 3 c 0.3\n"
ATTACK = "1 attack/print d 0.1\n2 attack/print e 0.6\n3 attack/mask f 0.2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in ("dev", "eval"):
        for name, text in (("real", REAL), ("attack", ATTACK), ("both", REAL + ATTACK)):
            (tmp_path / f"scores-{split}-{name}").write_text(text.replace(" 0.", f"-{split} 0."))
    return tmp_path


def rates(result: Result) -> dict[str, float]:
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    return {name: document["metrics"][name] for name in ("apcer", "apcer_max", "bpcer")}


def test_two_files_and_one_have_the_same_rates(fas: Fas, folder: Path) -> None:
    options = ("--threshold", "fixed:0.5", "--replicates", 0, "--json")
    two = fas("score", folder / "scores-eval-real", "--attacks", folder / "scores-eval-attack", *options)
    one = fas("score", folder / "scores-eval-both", *options)
    expected = {"apcer": 1 / 3, "apcer_max": 1 / 2, "bpcer": 1 / 3}
    assert rates(two) == pytest.approx(expected)
    assert rates(one) == pytest.approx(expected)


def test_dev_may_be_two_files_too(fas: Fas, folder: Path) -> None:
    files = [folder / f"scores-{split}-{name}" for split in ("eval", "dev") for name in ("real", "attack")]
    options = ("--replicates", 0, "--json")
    result = fas(
        "score", files[0], "--attacks", files[1], "--dev", files[2], "--dev-attacks", files[3], *options
    )
    assert json.loads(result.stdout)["threshold"]["policy"] == "eer"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dev-attacks", "x"], "--dev-attacks x: give the live samples by --dev FILE too"),
        (
            ["--attacks", "x", "--labels", "y"],
            "x and y: give the labels by a file for each class or by a list",
        ),
    ],
)
def test_options_that_lack_or_exclude_others(
    fas: Fas, folder: Path, options: list[str], message: str
) -> None:
    result = fas("score", folder / "scores-eval-real", *options)
    assert result.exit_code == 2
    assert message in result.stderr
