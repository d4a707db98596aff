"""`fas train --resume` refuses what would change figures, and says what it is. A run has one owner."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from fixtures.owners import read_line, start

Fas = Callable[..., Result]
Change = Callable[[Path], object]


@pytest.fixture
def data(faces: Path, tmp_path: Path) -> Path:
    """The data set that the run was trained on, at another place."""
    return shutil.copytree(faces, tmp_path / "faces")


@pytest.fixture
def run(trained: Path, data: Path, tmp_path: Path) -> Path:
    """A run that was trained to its end, on `data`."""
    path = shutil.copytree(trained, tmp_path / "run")
    edit(path, "data", root=str(data))
    return path


def edit(run: Path, section: str, **values: object) -> None:
    """Change the recipe in a run folder, as a text editor does."""
    file = run / "recipe.yaml"
    recipe = yaml.safe_load(file.read_text())
    recipe[section] = {**recipe[section], **values}
    file.write_text(yaml.safe_dump(recipe))


def contents(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def positions(run: Path) -> list[tuple[str, list[str]]]:
    return [(entry["position"], entry["changes"]) for entry in json.loads((run / "history.json").read_text())]


DATA_CHANGES: dict[str, tuple[Change, str]] = {
    "photo replaced": (
        lambda root: shutil.copy(root / "train/live/00.png", root / "train/live/01.png"),
        "data, train: other files: their sizes differ",
    ),
    "photo added": (
        lambda root: shutil.copy(root / "train/live/00.png", root / "train/live/99.png"),
        "data, train: 25 samples (13 live, 12 attack), were 24 samples (12 live, 12 attack)",
    ),
    "photo removed": (
        lambda root: (root / "dev/live/03.png").unlink(),
        "data, dev: 23 samples (11 live, 12 attack), were 24 samples (12 live, 12 attack)",
    ),
    "photo renamed": (
        lambda root: (root / "train/live/03.png").rename(root / "train/live/03b.png"),
        "data, train: other names, order, boxes or groups of samples",
    ),
    "labels exchanged": (
        lambda root: (
            (root / "train/live").rename(root / "train/other"),
            (root / "train/attack/print").rename(root / "train/live"),
            (root / "train/other").rename(root / "train/attack/print"),
        ),
        "data, train: 24 samples (6 live, 18 attack), were 24 samples (12 live, 12 attack)",
    ),
    "species renamed": (
        lambda root: (root / "train/attack/print").rename(root / "train/attack/mask"),
        "data, train: other names, order, boxes or groups of samples",
    ),
    "photo of test replaced": (
        lambda root: shutil.copy(root / "test/live/00.png", root / "test/live/01.png"),
        "data, test: other files: their sizes differ",
    ),
}


@pytest.mark.parametrize("name", DATA_CHANGES)
def test_other_data_under_the_same_path_are_refused_and_nothing_is_changed(
    fas: Fas, run: Path, data: Path, name: str
) -> None:
    change, line = DATA_CHANGES[name]
    change(data)
    before = contents(run)
    result = fas("train", "--resume", run, "--epochs", 7)
    assert result.exit_code == 2
    first, *lines = result.stderr.splitlines()
    assert first.startswith(f"error: {run}: data, recipe or versions are not those it was trained with")
    assert first.endswith("add --anyway")
    assert any(text.startswith(f"  {line}") for text in lines), lines
    assert contents(run) == before


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("train", "lr", 0.5),
        ("train", "batch_size", 4),
        ("train", "seed", 3),
        ("train", "optimizer", "adamw"),
        ("train", "weight_decay", 0.5),
        ("train", "schedule", "constant"),
        ("train", "select", "last"),
        ("augment", "flip", 0.0),
        ("augment", "quality", 0.5),
        ("loss", "gamma", 1.0),
        ("model", "normalize", {"rgb": {"mean": [0.1, 0.1, 0.1]}}),
        ("resize", "crop", 0.5),
    ],
)
def test_an_edited_recipe_is_refused(fas: Fas, run: Path, section: str, key: str, value: object) -> None:
    edit(run, section, **{key: value})
    result = fas("train", "--resume", run, "--epochs", 7)
    assert result.exit_code == 2
    assert f"\n  recipe: {section}.{key}" in result.stderr


def test_anyway_goes_on_and_the_history_has_the_change(fas: Fas, run: Path, data: Path) -> None:
    change, line = DATA_CHANGES["photo replaced"]
    change(data)
    result = fas("train", "--resume", run, "--anyway")
    assert result.exit_code == 0, result.output
    assert f"note: {line}" in result.stdout
    start, changed = positions(run)
    assert start == ("epoch 1", [])
    assert changed[0] == "epoch 7"
    assert changed[1][0].startswith(line)
    again = fas("train", "--resume", run)
    assert again.exit_code == 0, again.output
    assert "note: data" not in again.stdout
    assert len(positions(run)) == 2


def test_another_version_is_refused_by_its_name(fas: Fas, run: Path) -> None:
    entries = json.loads((run / "history.json").read_text())
    entries[-1]["conditions"]["versions"] |= {"torch": "1.13.1", "fas-core": "0.0.1"}
    (run / "history.json").write_text(json.dumps(entries))
    result = fas("train", "--resume", run)
    assert result.exit_code == 2
    lines = [line.strip() for line in result.stderr.splitlines()[1:]]
    assert [line.partition(":")[0] for line in lines] == ["fas-core", "torch"]
    assert all(line.endswith(was) for line, was in zip(lines, (", was 0.0.1", ", was 1.13.1"), strict=True))


def test_moved_data_and_a_run_without_history_go_on(fas: Fas, run: Path, data: Path, tmp_path: Path) -> None:
    moved = data.rename(tmp_path / "moved")
    (run / "history.json").unlink()  # as of a former version
    result = fas("train", "--resume", run, "--data", moved)
    assert result.exit_code == 0, result.output
    assert "note: there is no history.json" in result.stdout
    shutil.copytree(moved, data)
    result = fas("train", "--resume", run, "--data", f"folder:{data}", "-j", 1)
    assert result.exit_code == 0, result.output
    assert "note:" not in result.stdout
    assert len(positions(run)) == 1


def test_a_second_process_is_refused_in_one_line(fas: Fas, run: Path, recipe_file: Path) -> None:
    before = contents(run)
    with start("owning", run) as process:
        assert read_line(process) == "owned"
        by = f"error: {run}: in use by process {process.pid} on {socket.gethostname()}, since "
        commands = (
            ("train", "--resume", run),
            ("train", recipe_file, "--runs", run.parent, "--name", run.name),
            ("calibrate", run, "--undo"),
            ("export", run, "--novelty"),
        )
        for command in commands:
            result = fas(*command)
            assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1), result.output
            assert result.stderr.startswith(by)
    (run / "owner.json").unlink()
    assert contents(run) == before


def test_a_training_without_a_name_leaves_the_folder_of_another_one(
    fas: Fas, recipe_file: Path, tmp_path: Path
) -> None:
    with start("owning", tmp_path / "tiny") as process:  # which has not written its recipe yet
        assert read_line(process) == "owned"
        assert fas("train", recipe_file, "--runs", tmp_path, "-q").exit_code == 0
    assert (tmp_path / "tiny-2" / "results.json").is_file()
    assert not (tmp_path / "tiny" / "recipe.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["{recipe}", "--anyway"], "--anyway is about --resume"),
        (["{recipe}", "--resume", "{run}"], "it takes no RECIPE"),
        (["--config", "{recipe}", "--resume", "{run}"], "it takes no RECIPE"),
    ],
)
def test_flags_that_do_not_go_together(
    fas: Fas, run: Path, recipe_file: Path, arguments: list[str], problem: str
) -> None:
    result = fas("train", *(text.format(recipe=recipe_file, run=run) for text in arguments))
    assert result.exit_code == 2
    assert problem in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_tags_are_replaced_without_a_note_that_something_changed(fas: Fas, run: Path) -> None:
    assert fas("train", "--resume", run, "--tag", "paper", "--tag", "old").exit_code == 0
    assert yaml.safe_load((run / "recipe.yaml").read_text())["tags"] == ["paper", "old"]
    assert len(positions(run)) == 1
