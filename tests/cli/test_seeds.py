"""`fas train --seeds`, as a user types it."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from fas_core.cli import main

Fas = Callable[..., Result]
SEEDS = ["seed-14", "seed-16"]


@pytest.fixture(scope="module")
def trained_seeds(recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two runs of one epoch, of seeds 14 and 16; do not change it."""
    runs = tmp_path_factory.mktemp("runs")
    arguments = ["train", str(recipe_file), "--seeds", "14, 16", "--runs", str(runs), "--input-size", "32"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    (runs / "output.txt").write_text(result.stdout)
    return runs / "tiny"


def read_results(path: Path) -> dict:
    return json.loads((path / "results.json").read_text())


def test_each_seed_is_a_run_that_differs_in_the_seed_alone(trained_seeds: Path) -> None:
    first, second = (yaml.safe_load((trained_seeds / name / "recipe.yaml").read_text()) for name in SEEDS)
    assert (first["train"].pop("seed"), second["train"].pop("seed")) == (14, 16)
    assert first == second
    weights = [(trained_seeds / name / "best.safetensors").read_bytes() for name in SEEDS]
    assert weights[0] != weights[1]


def test_the_figures_are_mean_and_sample_deviation_over_the_seeds(trained_seeds: Path) -> None:
    results, own = read_results(trained_seeds), [read_results(trained_seeds / name) for name in SEEDS]
    assert results["seeds"] == [14, 16]
    assert list(results["splits"]) == ["dev", "test"]
    for split in ("dev", "test"):
        figures = results["splits"][split]
        assert list(figures["runs"]) == SEEDS
        for name in ("acer", "eer", "auc"):
            values = [run["splits"][split]["metrics"][name] for run in own]
            assert figures["mean"][name] == pytest.approx(statistics.fmean(values))
            assert figures["sd"][name] == pytest.approx(statistics.stdev(values))


def test_a_table_of_each_split_has_the_seeds_and_their_mean(trained_seeds: Path) -> None:
    lines = (trained_seeds.parent / "output.txt").read_text().splitlines()
    for split in ("dev", "test"):
        start = next(number for number, line in enumerate(lines) if line.startswith(f"{split}: rates in %"))
        rows = [line.split("  ")[0] for line in lines[start + 1 : start + 10]]
        first = rows.index("seed-14")
        assert rows[first : first + 4] == [*SEEDS, "mean", "± sd"]
    assert f"fas report {trained_seeds}" in "\n".join(lines)


def test_what_is_missing_is_trained(fas: Fas, trained_seeds: Path, tmp_path: Path) -> None:
    copied = tmp_path / "tiny"
    shutil.copytree(trained_seeds, copied)
    shutil.rmtree(copied / "seed-16")
    (copied / "results.json").unlink()
    before = (copied / "seed-14" / "results.json").stat().st_mtime_ns
    result = fas("train", "--resume", copied)
    assert result.exit_code == 0, result.output
    assert "seed-14: trained before" in result.stdout
    assert (copied / "seed-14" / "results.json").stat().st_mtime_ns == before
    assert read_results(copied)["splits"] == read_results(trained_seeds)["splits"]


def test_the_folder_is_evaluated_as_one(fas: Fas, trained_seeds: Path) -> None:
    result = fas("eval", trained_seeds, "--json", "--replicates", 0)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["seeds"], list(document["runs"])) == ([14, 16], SEEDS)
    assert document["mean"]["acer"] == pytest.approx(
        read_results(trained_seeds)["splits"]["test"]["mean"]["acer"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", ""], "must be different whole numbers from 0, e.g. 14,15,16"),
        (["--seeds", "14,14"], "must be different whole numbers"),
        (["--seeds", "14,-1"], "must be different whole numbers"),
        (["--seeds", "14, a"], "must be different whole numbers"),
        (["--seeds", "1,2", "--random-seed", "3"], "leave --random-seed and --set train.seed out"),
        (["--seeds", "1,2", "--folds", "subject:2"], "and folds too: train one after another"),
        (["--seeds", "1,2", "--protocol", "cefa-4", "--data", "{cefa}"], "and a set of protocols too"),
        (["--seeds", "1,2", "--final"], "--final and --no-final are about folds"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas,
    recipe_file: Path,
    cefa: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    filled = [text.format(cefa=cefa) for text in arguments]
    result = fas("train", recipe_file, *filled, "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_resuming_takes_no_other_seeds(fas: Fas, trained_seeds: Path) -> None:
    result = fas("train", "--resume", trained_seeds, "--seeds", "1")
    assert result.exit_code == 2
    assert "it takes no --seeds" in result.stderr
