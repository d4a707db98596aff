"""Cross-validation with the training of each run replaced by scores that are known in advance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from fixtures.memory_dataset import MemoryDataset

from fas_core.config.components import HeldOut
from fas_core.config.recipe import Recipe
from fas_core.contracts import DatasetReader
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.runs.groups import FoldRuns
from fas_core.runs.history import start_history
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.scores.table import ScoreTable
from fas_core.training import cross_validation, job

MakeRecipe = Callable[..., Recipe]
Splits = dict[str, Sequence[str | None]]
TRAIN = "abcd"


def dataset_of_people(people: Mapping[str, Sequence[str | None]]) -> MemoryDataset:
    """Return a data set of two samples of each person of a split, one live and one attack."""
    return MemoryDataset({split: table(names, split) for split, names in people.items()})


def table(people: Sequence[str | None], split: str) -> SampleTable:
    subjects = [person for person in people for _ in range(2)]
    names = [f"{split}/{row}.png" for row in range(len(subjects))]
    labels = [row % 2 for row in range(len(subjects))]
    columns = {"id": names, "label": labels, "rgb": names, "subject": subjects}
    return SampleTable.of(columns, modalities=("rgb",), root="people")


@pytest.fixture
def train_people(
    monkeypatch: pytest.MonkeyPatch, make_recipe: MakeRecipe, tmp_path: Path
) -> Callable[..., cross_validation.FoldsOutcome]:
    """`train_people(splits, final=False)`: cross-validate in two folds by subject, below `tmp_path/folds`.

    Each run takes half an hour and scores live samples 0.8 and attacks 0.2.
    """

    def score(run: Run, changes: Mapping[str, Any], *, reader: DatasetReader, anyway: bool) -> None:
        if not run.is_finished():
            run.create()
            run.append_metrics({"epoch": run.recipe.train.epochs})
            write_results(run.path, {"train_hours": 0.5})
        for split in {"dev", "test"} & set(reader.splits()):
            samples = reader.samples(split)
            scores = np.where(samples.labels == 1, 0.8, 0.2)
            ScoreTable.from_samples(samples, scores).write(run.scores(split))

    def train(splits: Splits, *, final: bool = False) -> cross_validation.FoldsOutcome:
        use_people(monkeypatch, splits)
        recipe = make_recipe(tmp_path, {"folds": "subject:2"})
        return cross_validation.start(tmp_path / "folds", recipe, registry(), final=final)

    monkeypatch.setattr(job, "start_or_resume", score)
    return train


def use_people(monkeypatch: pytest.MonkeyPatch, splits: Splits) -> None:
    """Open these people, whichever data set a recipe names."""
    monkeypatch.setattr(cross_validation, "open_choice", lambda *_: dataset_of_people(splits))


Train = Callable[..., cross_validation.FoldsOutcome]


def test_every_sample_of_train_gets_the_score_of_its_fold(train_people: Train, tmp_path: Path) -> None:
    outcome = train_people({"train": TRAIN})
    scores = ScoreTable.read(tmp_path / "folds" / "out_of_fold.csv")
    assert scores.table.column("id").to_pylist() == [f"train/{row}.png" for row in range(8)]
    assert scores.scores.tolist() == [0.2, 0.8] * 4
    assert outcome.results is not None
    assert outcome.results.groups == (2, 2)
    assert outcome.results.pooled.counts["total"] == 8
    assert outcome.results.pooled.metrics["acer"] == 0.0
    assert outcome.final == {}
    assert not (tmp_path / "folds" / "final").exists()


def test_hours_are_added_up_and_the_final_run_has_the_threshold(train_people: Train, tmp_path: Path) -> None:
    outcome = train_people({"train": TRAIN, "test": "yz"}, final=True)
    record = json.loads((tmp_path / "folds" / "results.json").read_text())
    assert record["train_hours"] == 1.5  # two folds and the final run
    assert record["folds"] == "subject:2"
    assert outcome.train_hours == 0.5
    threshold = outcome.final["test"].threshold
    assert threshold is not None
    assert 0.2 < threshold.value <= 0.8
    assert threshold.source == "out-of-fold subject:2"
    assert outcome.results is not None
    assert outcome.results.pooled.threshold == threshold


def test_the_last_weights_are_selected(train_people: Train, tmp_path: Path) -> None:
    train_people({"train": TRAIN})
    runs = FoldRuns.open(tmp_path / "folds", registry())
    assert {run.recipe.train.select for run in (*runs.fold_runs().values(), runs.final_run())} == {"last"}


RECOMMENDED = "recommended: no model was trained on the subjects that it scores here"
SESSIONS = "sessions are not known: no threshold is known to hold in another session"


@pytest.mark.parametrize(
    ("dev", "notes"),
    [
        (None, ["there is no dev split that a threshold could be fitted on", SESSIONS, RECOMMENDED]),
        (
            [None, None],
            ["dev does not say its subjects: whether train has them too is not known", SESSIONS, RECOMMENDED],
        ),
        (
            "ax",
            [
                "dev shares 1 of its 2 subjects with train: its threshold is of subjects seen",
                "2 of the samples are dev's, of subjects held out",
                SESSIONS,
                RECOMMENDED,
            ],
        ),
        (
            "xyz",
            [
                "dev shares none of its 3 subjects with train: its threshold is honest, too",
                SESSIONS,
                RECOMMENDED.removeprefix("recommended: "),
            ],
        ),
    ],
)
def test_notes_say_why_the_threshold_is_recommended(
    train_people: Train, dev: Sequence[str | None] | None, notes: list[str]
) -> None:
    outcome = train_people({"train": TRAIN} | ({} if dev is None else {"dev": dev}))
    assert outcome.results is not None
    assert list(outcome.results.pooled.notes) == notes


def test_changed_samples_are_refused(
    train_people: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_people({"train": TRAIN})
    runs = FoldRuns.open(tmp_path / "folds", registry())
    use_people(monkeypatch, {"train": "abcde"})
    with pytest.raises(DataError, match="made of other samples than people now has: train anew"):
        cross_validation.resume(runs, {})


def test_a_fold_that_was_trained_with_another_recipe_is_refused_unless_anyway(
    train_people: Train, tmp_path: Path
) -> None:
    train_people({"train": TRAIN})
    runs = FoldRuns.open(tmp_path / "folds", registry())
    fold = runs.fold_runs()["fold-2"]
    start_history(fold.changed({"train.lr": 0.5}), dataset_of_people({}), "epoch 1")
    with pytest.raises(FasError, match=r"^fold-2: .*data, recipe or versions are not") as caught:
        cross_validation.resume(runs, {})
    assert any("train.lr" in line for line in caught.value.problems)
    assert cross_validation.resume(runs, {}, anyway=True).results is not None


def test_a_final_run_can_be_added(train_people: Train, tmp_path: Path) -> None:
    train_people({"train": TRAIN})
    cross_validation.resume(FoldRuns.open(tmp_path / "folds", registry()), {}, final=True)
    runs = FoldRuns.open(tmp_path / "folds", registry())
    assert runs.final
    assert runs.open_final().path == tmp_path / "folds" / "final"


def test_scores_of_other_samples_are_refused(train_people: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    score = job.start_or_resume

    def score_fewer(run: Run, changes: Mapping[str, Any], *, reader: DatasetReader, anyway: bool) -> None:
        score(run, changes, reader=reader, anyway=anyway)
        columns = {"id": ["other"], "score": [0.5], "label": [1]}
        ScoreTable.of(columns).write(run.scores("dev"))

    monkeypatch.setattr(job, "start_or_resume", score_fewer)
    with pytest.raises(DataError, match="not those of the samples of their folds"):
        train_people({"train": TRAIN})


def test_an_existing_group_is_not_overwritten(train_people: Train) -> None:
    train_people({"train": TRAIN})
    with pytest.raises(FasError, match="holds runs"):
        train_people({"train": TRAIN})


def test_too_few_subjects_are_refused_before_anything_is_written(train_people: Train, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train has only 1 subject"):
        train_people({"train": "a"})
    assert not (tmp_path / "folds").exists()


def test_a_fold_is_not_divided_again(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    recipe = evolve(recipe, data=evolve(recipe.data, held_out=HeldOut("subject", 2, 1)))
    with pytest.raises(ConfigError, match=r"leave data\.held_out away"):
        cross_validation.start(tmp_path / "folds", recipe, registry(), final=True)


def test_patience_is_refused_as_a_fold_is_judged_by_its_own_scores(
    make_recipe: MakeRecipe, tmp_path: Path
) -> None:
    recipe = evolve(make_recipe(tmp_path, patience=2), folds="subject:2")
    with pytest.raises(ConfigError, match=r"train\.patience: a fold would end by the scores"):
        cross_validation.start(tmp_path / "folds", recipe, registry(), final=False)
    assert not (tmp_path / "folds").exists()
