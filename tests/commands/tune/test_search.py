"""The search over trials: choice, pruning, resumption; training is replaced by known figures."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
import yaml
from attrs import evolve
from commands.tune.conftest import Trainings, diverge
from fixtures.owners import read_line, start

from fas_core.config.load import load_recipe
from fas_core.data.open import open_choice
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.registry import registry
from fas_core.runs.history import start_history
from fas_core.runs.run import Run
from fas_plugins.commands.tune.search import Search, find_best
from fas_plugins.commands.tune.study import open_study
from fas_plugins.commands.tune.trials import list_trials

MakeSearch = Callable[..., Search]


def states(study: optuna.Study, search: Search) -> dict[int, tuple[str, str]]:
    records = list_trials(study, search.space)
    return {
        record.number: (record.state, record.run) for record in sorted(records, key=lambda one: one.number)
    }


def best_recipe(search: Search) -> dict:
    return yaml.safe_load((search.folder / "best.yaml").read_text())


def test_the_best_recipe_is_of_the_lowest_eer(make_search: MakeSearch, trainings: Trainings) -> None:
    search = make_search(prune=False)
    study = search.run(4)
    assert trainings.started == [f"trial-{number}" for number in range(4)]
    eers = [trial.value for trial in study.trials]
    assert len(set(eers)) == 4  # the EER is the learning rate
    best = find_best(study)
    assert best is not None
    assert best.value == min(eers)
    assert best_recipe(search)["train"]["lr"] == min(eers)
    text = (search.folder / "best.yaml").read_text()
    assert text.startswith(f"# The best of 4 trials, trial-{best.number}: dev EER {100 * best.value:.2f} %\n")
    assert load_recipe(str(search.folder / "best.yaml"), registry()).train.lr == min(eers)


@pytest.mark.parametrize(("select", "expected"), [("best", 0.1), ("last", 0.3)])
def test_a_run_is_judged_by_the_epoch_whose_weights_it_keeps(
    make_search: MakeSearch, trainings: Trainings, select: str, expected: float
) -> None:
    trainings.eers = lambda _: [0.2, 0.1, 0.3]
    (trial,) = make_search(epochs=3, select=select).run(1).trials
    assert trial.value == expected
    assert trial.intermediate_values == {1: 0.2, 2: 0.1, 3: 0.3}


def test_a_trial_above_the_median_ends_early(make_search: MakeSearch, trainings: Trainings) -> None:
    falling = iter([0.1, 0.1, 0.1, 0.1, 0.1, 0.4])
    trainings.eers = lambda _: [next(falling)] * 4
    search = make_search(epochs=4)
    study = search.run(6)
    assert [state for state, _ in states(study, search).values()] == ["finished"] * 5 + ["pruned"]
    pruned = study.trials[-1]
    assert pruned.last_step < 4
    assert not (search.folder / "trial-5" / "results.json").exists()
    best = find_best(study)
    assert best is not None
    assert best.number == 0  # the first of equal ones


def test_nothing_is_pruned_on_demand(make_search: MakeSearch, trainings: Trainings) -> None:
    eers = iter([0.1, 0.1, 0.1, 0.1, 0.1, 0.4])
    trainings.eers = lambda _: [next(eers)] * 4
    search = make_search(epochs=4, prune=False)
    assert {state for state, _ in states(search.run(6), search).values()} == {"finished"}


def test_a_trial_that_fails_is_named_and_counts(
    make_search: MakeSearch, trainings: Trainings, capsys: pytest.CaptureFixture[str]
) -> None:
    trainings.stop["trial-1"] = diverge()
    search = make_search()
    study = search.run(3)
    assert [state for state, _ in states(study, search).values()] == ["finished", "failed", "finished"]
    assert list_trials(study, search.space)[-1].reason.startswith("the loss is nan")
    assert "trial 1: failed: the loss is nan" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_trial_whose_run_another_process_trains_is_left_to_it(
    make_search: MakeSearch, trainings: Trainings
) -> None:
    search = make_search()
    with start("owning", search.folder / "trial-0") as process:
        assert read_line(process) == "owned"
        study = search.run(2)
    assert states(study, search) == {0: ("failed", "trial-0"), 1: ("finished", "trial-1")}
    assert f"in use by process {process.pid}" in list_trials(study, search.space)[-1].reason
    assert trainings.started == ["trial-1"]


def test_ctrl_c_loses_no_trial(make_search: MakeSearch, trainings: Trainings) -> None:
    trainings.stop["trial-1"] = KeyboardInterrupt()
    search = make_search()
    with pytest.raises(KeyboardInterrupt):
        search.run(3)
    study = search.run(3)
    assert trainings.started == ["trial-0", "trial-1", "trial-1", "trial-3"]
    assert states(study, search) == {
        0: ("finished", "trial-0"),
        1: ("stopped", "trial-1"),
        2: ("finished", "trial-1"),
        3: ("finished", "trial-3"),
    }
    assert study.trials[1].params == study.trials[2].params


def test_the_trial_of_a_killed_command_goes_on(make_search: MakeSearch, trainings: Trainings) -> None:
    """The command is killed in trial-0, so that it can record nothing."""
    trainings.stop["trial-0"] = SystemExit()
    search = make_search()
    with pytest.raises(SystemExit):
        search.run(2)
    study = open_study(search.folder, search.recipe, search.space, registry())
    assert states(study, search) == {0: ("running", "trial-0")}
    with sqlite3.connect(search.folder / "study.db") as database:
        database.execute("update trial_heartbeats set heartbeat = datetime('now', '-1 hour')")
    database.close()
    study = search.run(2)
    assert trainings.started == ["trial-0", "trial-0", "trial-2"]
    assert states(study, search) == {
        0: ("stopped", "trial-0"),
        1: ("finished", "trial-0"),
        2: ("finished", "trial-2"),
    }
    assert study.trials[0].params == study.trials[1].params


def test_a_command_waits_for_the_last_trials_of_others(
    make_search: MakeSearch, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = make_search()
    search.run(1)
    other = open_study(search.folder, search.recipe, search.space, registry())
    with pytest.warns(UserWarning, match="Heartbeat"):  # the trial of another command
        running = other.ask()
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        other.tell(running, 0.5)

    monkeypatch.setattr("time.sleep", sleep)
    study = search.run(2)
    assert len(waits) == 1
    assert trainings.started == ["trial-0"]
    assert [trial.value for trial in study.trials][1] == 0.5


def test_the_same_search_again_goes_on_and_suggests_the_same(
    make_search: MakeSearch, trainings: Trainings, tmp_path: Path
) -> None:
    search = make_search()
    at_once = [trial.params for trial in search.run(4).trials]
    again = evolve(search, folder=tmp_path / "again")
    again.run(2)
    assert [trial.params for trial in again.run(4).trials] == at_once
    assert len(again.run(4).trials) == 4


def test_a_study_of_something_else_is_refused(make_search: MakeSearch, trainings: Trainings) -> None:
    make_search().run(1)
    with pytest.raises(FasError, match="holds a study of another recipe: choose another --name"):
        make_search(batch_size=4).run(1)
    with pytest.raises(FasError, match="holds a study of another space: choose another --name"):
        make_search("train.lr=log:1e-4:0.2").run(1)
    assert len(make_search(workers=1, device="auto").run(1).trials) == 1  # where it runs makes no other study


def test_trials_of_other_versions_are_refused_unless_anyway(
    make_search: MakeSearch, trainings: Trainings
) -> None:
    search = make_search()
    search.run(1)
    run = Run.open(search.folder / "trial-0", registry())
    start_history(run, open_choice(run.recipe.data, registry()), "epoch 1")
    search.run(2)

    (entry,) = json.loads((run.path / "history.json").read_text())
    entry["conditions"]["versions"]["torch"] = "1.0"
    (run.path / "history.json").write_text(json.dumps([entry]))
    with pytest.raises(FasError, match=r"trial-0: data, recipe or versions are not .* add --anyway"):
        search.run(3)
    assert trainings.started == ["trial-0", "trial-1"]
    evolve(search, anyway=True).run(3)
    assert trainings.started == ["trial-0", "trial-1", "trial-2"]
    assert trainings.anyway == [False, False, True]


def test_a_damaged_database_is_one_line(make_search: MakeSearch, trainings: Trainings) -> None:
    search = make_search()
    search.folder.mkdir()
    (search.folder / "study.db").write_bytes(b"no database at all, but long enough" * 100)
    with pytest.raises(FasError, match=r"study.db: cannot be used: file is not a database"):
        search.run(1)


def test_a_folder_with_runs_is_refused(make_search: MakeSearch, trainings: Trainings) -> None:
    search = make_search()
    search.folder.mkdir()
    (search.folder / "recipe.yaml").write_text("")
    with pytest.raises(FasError, match="holds runs: choose another --name"):
        search.run(1)


def test_what_cannot_be_tuned_is_said_before_anything_is_written(
    make_search: MakeSearch, trainings: Trainings, write_faces: Callable[..., None], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"--space: train.momentum=2.0: train.momentum"):
        make_search("train.momentum=float:0.5:2").run(1)
    with pytest.raises(ConfigError, match="unknown key"):
        make_search("train.rate=float:0.5:2").run(1)
    with pytest.raises(ConfigError, match="no plugin provides it"):
        make_search("model.backbone=[feathernet_a, feathernet_z]").run(1)
    search = make_search()
    with pytest.raises(ConfigError, match="folds: tuning judges by dev"):
        evolve(search, recipe=evolve(search.recipe, folds="subject:2")).run(1)
    for kind in ("live", "attack"):
        write_faces(tmp_path / "faces", "train", kind, 2, 99)
    data = evolve(search.recipe.data, root=tmp_path / "faces")
    with pytest.raises(DataError, match="tuning needs a dev split with labels"):
        evolve(search, recipe=evolve(search.recipe, data=data)).run(1)
    assert not search.folder.exists()
    assert trainings.started == []
