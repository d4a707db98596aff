"""`fas ensemble` as a user types it: fitted on dev, applied to test, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from sklearn.metrics import roc_auc_score

from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]


def write(path: Path, rows: Iterable[tuple[object, ...]], header: str = "id,score,label,species") -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header.split(","), *rows])
    return path


def system(folder: Path, name: str, split: str, noise: float, *, labels: bool = True) -> Path:
    """Scores of 60 samples of a split, in an order of its own; the less noise, the better."""
    number = sum(map(ord, name + split))
    rng = np.random.default_rng(number)
    rows: list[tuple[object, ...]] = []
    for sample in range(60):
        live = sample % 3 == 0
        score = 1 / (1 + np.exp(-rng.normal(2 if live else -2, noise)))
        species = "live" if live else ("print", "replay")[sample % 2]
        rows.append((f"{split}/{sample}", repr(float(score)), *((int(live), species) if labels else ())))
    rng.shuffle(rows)
    header = "id,score,label,species" if labels else "id,score"
    return write(folder / f"{name}_{split}.csv", rows, header)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three systems' scores of dev and test, and of test without labels (`bare`)."""
    folder = tmp_path_factory.mktemp("systems")
    found = {}
    for name, noise in (("a", 1.0), ("b", 1.5), ("c", 4.0)):
        for split in ("dev", "test"):
            found[f"{name}_{split}"] = system(folder, name, split, noise)
        bare = folder / "bare"
        bare.mkdir(exist_ok=True)
        found[f"{name}_bare"] = system(bare, name, "test", noise, labels=False)
    return found


def of(files: dict[str, Path], split: str) -> list[Path]:
    return [files[f"{name}_{split}"] for name in "abc"]


@pytest.mark.parametrize("rule", ["mean", "weighted", "stacking", "published"])
def test_the_ensemble_is_judged_beside_its_members(fas: Fas, files: dict[str, Path], rule: str) -> None:
    result = fas(
        "ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--rule", rule, "--replicates", 50
    )
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    for name in ("a_test", "b_test", "c_test", "ensemble"):
        assert any(line.startswith(f"{name} ") for line in lines), name
    assert "Pearson" in result.stdout
    assert "a_test is the best member by its EER on dev" in result.stdout
    assert "ensemble minus a_test" in result.stdout


def test_files_are_read_as_they_are_said_to_be(fas: Fas, files: dict[str, Path], tmp_path: Path) -> None:
    """1 and a high score mean attack in these, and what is a score has to be told."""
    for path in (*of(files, "test"), *of(files, "dev")):
        rows = list(csv.DictReader(path.read_text().splitlines()))
        cells = ((row["id"], 1 - float(row["score"]), "?", 1 - int(row["label"])) for row in rows)
        write(tmp_path / path.name, cells, "id,net_out,score,label")
    turned = {name: tmp_path / path.name for name, path in files.items() if not name.endswith("bare")}
    arguments = ("--rule", "stacking", "--replicates", 0, "--json")
    plain = json.loads(fas("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), *arguments).stdout)
    told = ("--column", "score=net_out", "--positive", "attack", *arguments)
    result = fas("ensemble", *of(turned, "test"), "--dev", *of(turned, "dev"), *told)
    assert result.exit_code == 0, result.output
    for ours, theirs in zip(json.loads(result.stdout)["results"], plain["results"], strict=True):
        figures = {name: theirs["metrics"][name] for name in ("acc", "eer", "apcer", "bpcer", "auc")}
        assert {name: ours["metrics"][name] for name in figures} == pytest.approx(figures)


def test_every_figure_has_an_interval(fas: Fas, files: dict[str, Path]) -> None:
    arguments = ("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--json", "--replicates")
    for found in json.loads(fas(*arguments, 20).stdout)["results"]:
        assert set(found["intervals"]["figures"]) == set(found["metrics"])
    assert all("intervals" not in found for found in json.loads(fas(*arguments, 0).stdout)["results"])


def test_json_is_one_document_with_what_was_fitted(fas: Fas, files: dict[str, Path]) -> None:
    arguments = ("--rule", "weighted", "--replicates", 20, "--json")
    result = fas("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), *arguments)
    document = json.loads(result.stdout)
    assert document["rule"]["name"] == "weighted"
    assert sum(document["rule"]["weights"]) == pytest.approx(1)
    assert [found["name"] for found in document["results"]] == ["a_test", "b_test", "c_test", "ensemble"]
    assert document["threshold"] == document["results"][-1]["threshold"]
    assert document["threshold"]["source"] == "dev"
    assert {(pair["first"], pair["second"]) for pair in document["agreement"]} == {
        ("a_test", "b_test"),
        ("a_test", "c_test"),
        ("b_test", "c_test"),
    }
    assert document["comparison"]["reference"] == "a_test"


def test_a_member_has_the_table_of_its_own(fas: Fas, files: dict[str, Path]) -> None:
    document = json.loads(
        fas("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--replicates", 0, "--json").stdout
    )
    scores = ScoreTable.read(files["b_test"])
    member = document["results"][1]
    assert member["metrics"]["auc"] == pytest.approx(roc_auc_score(scores.labels, scores.scores))
    dev = ScoreTable.read(files["b_dev"])
    assert member["threshold"]["value"] == dev.rates.equal_error_threshold()[0]
    assert member["metrics"]["bpcer"] == float(scores.rates.bpcer(dev.rates.equal_error_threshold()[0]))


def test_the_mean_is_the_mean_of_each_sample(fas: Fas, files: dict[str, Path], tmp_path: Path) -> None:
    result = fas("ensemble", *of(files, "test"), "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert "no threshold" in result.stderr
    tables = [ScoreTable.read(path) for path in of(files, "test")]
    each = [dict(zip(table.table.column("id").to_pylist(), table.scores, strict=True)) for table in tables]
    found = ScoreTable.read(tmp_path / "out.csv")
    assert len(found) == 60
    for name, score in zip(found.table.column("id").to_pylist(), found.scores, strict=True):
        assert score == pytest.approx(sum(member[name] for member in each) / 3, abs=1e-15)


@pytest.mark.parametrize("rule", ["mean", "weighted", "stacking", "published"])
def test_what_is_fitted_does_not_look_at_test(
    fas: Fas, files: dict[str, Path], tmp_path: Path, rule: str
) -> None:
    turned = []
    for path in of(files, "test"):
        table = ScoreTable.read(path).table
        rows = zip(*(table.column(name).to_pylist() for name in ("id", "score", "label")), strict=True)
        other = [(name, 1 - score, 1 - label) for name, score, label in rows]
        turned.append(write(tmp_path / path.name, other, "id,score,label"))
    dev = ("--dev", *of(files, "dev"), "--rule", rule, "--replicates", 0, "--json")
    first, second = (json.loads(fas("ensemble", *test, *dev).stdout) for test in (of(files, "test"), turned))
    assert {key: first[key] for key in ("rule", "threshold", "thresholds")} == {
        key: second[key] for key in ("rule", "threshold", "thresholds")
    }


@pytest.mark.parametrize("rule", ["mean", "weighted", "stacking", "published"])
def test_what_validation_has_fitted_scores_unlabelled_test(
    fas: Fas, files: dict[str, Path], tmp_path: Path, rule: str
) -> None:
    dev, bare = of(files, "dev"), of(files, "bare")
    validation = fas(
        "ensemble", *dev, "--dev", *dev, "--rule", rule, "-o", tmp_path / "val.csv", "--replicates", 20
    )
    assert validation.exit_code == 0, validation.output
    assert "fitted on these very samples" in validation.stdout
    later = fas("ensemble", *bare, "--rule", tmp_path / "val.json", "-o", tmp_path / "later.csv")
    assert later.exit_code == 0, later.output
    assert "not all labelled" in later.stdout
    assert "ACER" not in later.stdout
    at_once = fas("ensemble", *bare, "--dev", *dev, "--rule", rule, "-o", tmp_path / "once.csv")
    assert at_once.exit_code == 0, at_once.output
    assert (tmp_path / "later.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()
    header, *rows = (tmp_path / "later.csv").read_text().splitlines()
    assert header == '"id","score","label"'
    assert len(rows) == 60


def test_what_was_kept_judges_with_its_own_thresholds(
    fas: Fas, files: dict[str, Path], tmp_path: Path
) -> None:
    dev, test = of(files, "dev"), of(files, "test")
    fas("ensemble", *dev, "--dev", *dev, "-o", tmp_path / "val.csv", "--replicates", 0)
    document = json.loads(
        fas("ensemble", *test, "--rule", tmp_path / "val.json", "--replicates", 0, "--json").stdout
    )
    at_once = json.loads(fas("ensemble", *test, "--dev", *dev, "--replicates", 0, "--json").stdout)
    assert document["results"] == at_once["results"]


def test_a_sample_without_one_members_score_has_none(
    fas: Fas, files: dict[str, Path], tmp_path: Path
) -> None:
    text = files["b_test"].read_text().splitlines()
    name = text[1].split(",")[0]
    text[1] = ",".join([name, "", *text[1].split(",")[2:]])
    (tmp_path / "b.csv").write_text("\n".join(text))
    result = fas("ensemble", files["a_test"], tmp_path / "b.csv", "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert "ensemble: 1 of 60 samples gave no score (NaN) and are left out" in result.stdout
    found = ScoreTable.read(tmp_path / "out.csv")
    missing = np.flatnonzero(np.isnan(found.scores))
    assert [found.table.column("id")[int(row)].as_py() for row in missing] == [name]


def test_runs_bring_their_own_dev_scores(fas: Fas, files: dict[str, Path], tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name / "scores").mkdir(parents=True)
        for split in ("dev", "test"):
            shutil.copy(files[f"{name}_{split}"], tmp_path / name / "scores" / f"{split}.csv")
    runs = [tmp_path / name for name in "ab"]
    ours = json.loads(fas("ensemble", *runs, "--rule", "published", "--replicates", 0, "--json").stdout)
    given = fas(
        *("ensemble", *of(files, "test")[:2], "--dev", *of(files, "dev")[:2]),
        *("--rule", "published", "--replicates", 0, "--json"),
    )
    theirs = json.loads(given.stdout)
    assert ours["rule"]["t"] == theirs["rule"]["t"]
    assert ours["rule"]["members"] == ["a", "b"]
    assert ours["results"][-1]["metrics"] == theirs["results"][-1]["metrics"]
    validation = fas("ensemble", *runs, "--split", "dev", "--replicates", 0)
    assert "fitted on these very samples" in validation.stdout


def test_published_submission_files_are_members(fas: Fas, tmp_path: Path) -> None:
    paths = [f"Val/{number}-color.jpg Val/{number}-depth.jpg Val/{number}-ir.jpg" for number in range(4)]
    labels, scores = (1, 0, 1, 0), ((0.9, 0.2, 0.6, 0.7), (0.7, 0.1, 0.45, 0.2))
    (tmp_path / "val_private_list.txt").write_text(
        "".join(f"{path} {label}\n" for path, label in zip(paths, labels, strict=True))
    )
    for name, values in zip("ab", scores, strict=True):
        lines = [f"{path} {value}\n" for path, value in zip(paths, values, strict=True)]
        (tmp_path / f"{name}.txt").write_text("".join(lines if name == "a" else reversed(lines)))
    files, known = (tmp_path / "a.txt", tmp_path / "b.txt"), tmp_path / "val_private_list.txt"
    result = fas(
        *("ensemble", *files, "--labels", known, "--dev", *files, "--dev-labels", known),
        *("--rule", "published", "-o", tmp_path / "out.csv", "--replicates", 0, "--json"),
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["rule"]["t"] == pytest.approx((0.45 + 0.525) / 2)
    assert document["results"][-1]["metrics"]["eer"] == 0
    found = ScoreTable.read(tmp_path / "out.csv")
    assert dict(zip(found.table.column("id").to_pylist(), found.scores, strict=True)) == {
        "Val/0-color.jpg": 0.9,
        "Val/1-color.jpg": 0.1,
        "Val/2-color.jpg": 0.6,
        "Val/3-color.jpg": 0.2,
    }
    bare = fas("ensemble", *files, "--rule", tmp_path / "out.json", "-o", tmp_path / "again.csv")
    assert bare.exit_code == 0, bare.output
    assert ScoreTable.read(tmp_path / "again.csv").scores.tolist() == found.scores.tolist()


def test_a_file_without_ids_is_refused(fas: Fas, files: dict[str, Path], tmp_path: Path) -> None:
    bare = write(tmp_path / "bare.csv", [(0.25, 1), (0.5, 0)], "score,label")
    result = fas("ensemble", files["a_test"], bare)
    assert result.exit_code == 2
    assert "bare.csv: no ids" in result.stderr


def test_a_split_that_a_run_does_not_hold_is_scored(fas: Fas, trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    (again / "scores" / "test.csv").unlink()
    result = fas("ensemble", trained, again, "-o", tmp_path / "out.csv", "--replicates", 0)
    assert result.exit_code == 0, result.output
    found, own = ScoreTable.read(tmp_path / "out.csv"), ScoreTable.read(trained / "scores" / "test.csv")
    assert found.scores == pytest.approx(own.scores, abs=1e-6)
    (again / "scores" / "dev.csv").unlink()
    result = fas("ensemble", trained, again)
    assert result.exit_code == 2
    assert "come with dev scores and again without" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{a_test}"], "two members or more"),
        (["{a_test}", "{a_test}"], "given twice"),
        (["{a_test}", "/no/such.csv"], "/no/such.csv"),
        (["{a_test}", "{b_dev}"], "60 ids only in the first"),
        (["{a_test}", "{b_test}", "--rule", "published"], "not every member has some"),
        (["{a_test}", "{b_test}", "--rule", "publisht"], "did you mean 'published'"),
        (["{a_test}", "{b_test}", "--rule", "/no/such.json"], "/no/such.json: cannot be read"),
        (["{a_test}", "{b_test}", "--dev", "{a_dev}"], "1 files for 2 members"),
        (["{a_test}", "{b_test}", "--threshold", "best"], "threshold 'best'"),
        (["{a_test}", "{b_test}", "--threshold", "min-acer"], None),
        (["{a_test}", "{b_test}", "-o", "/tmp/out.json"], "give -o OUT.csv"),
        (["{a_test}", "{b_test}", "--dev", "{a_dev}", "{b_bare}"], "only in the first"),
    ],
)
def test_a_mistake_is_one_line(
    fas: Fas, files: dict[str, Path], arguments: list[str], said: str | None
) -> None:
    result = fas("ensemble", *(text.format_map(files) for text in arguments))
    assert "Traceback" not in result.output
    if said is None:
        assert result.exit_code == 0
        assert "no threshold, as there are no dev scores" in result.stderr
        return
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_mean_of_scores_that_are_no_probabilities_comes_with_a_warning(
    fas: Fas, files: dict[str, Path], tmp_path: Path
) -> None:
    table = ScoreTable.read(files["b_test"]).table
    rows = zip(
        table.column("id").to_pylist(),
        (10 * score for score in table.column("score").to_pylist()),
        strict=True,
    )
    scaled = write(tmp_path / "scaled.csv", rows, "id,score")
    result = fas("ensemble", files["a_test"], scaled)
    assert result.exit_code == 0, result.output
    assert "scores of scaled are not probabilities" in result.stderr
    assert "not probabilities" not in fas("ensemble", files["a_test"], files["b_test"]).stderr


def test_dev_samples_among_those_judged_are_refused(fas: Fas, files: dict[str, Path], tmp_path: Path) -> None:
    mixed = []
    for name in "ab":
        test, dev = (files[f"{name}_{split}"].read_text().splitlines() for split in ("test", "dev"))
        mixed.append(tmp_path / f"{name}.csv")
        by_id = sorted(line for line in dev if line.startswith(("dev/1,", "dev/2,")))
        mixed[-1].write_text("\n".join([*test, *by_id]))
    result = fas("ensemble", *mixed, "--dev", *of(files, "dev")[:2])
    assert result.exit_code == 2
    assert "2 samples are among those of dev" in result.stderr
    assert "dev/1" in result.stderr


def test_another_number_of_members_than_fitted_is_refused(
    fas: Fas, files: dict[str, Path], tmp_path: Path
) -> None:
    fas("ensemble", *of(files, "test"), "-o", tmp_path / "three.csv")
    result = fas("ensemble", *of(files, "test")[:2], "--rule", tmp_path / "three.json")
    assert result.exit_code == 2
    assert "fitted to 3 members (a_test, b_test, c_test), and 2 are given" in result.stderr


def test_stacking_without_scikit_learn_is_one_line(
    fas: Fas, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None)
    result = fas("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--rule", "stacking")
    assert result.exit_code == 2
    assert "pip install 'fas-core[report]'" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_it_imports_neither_torch_nor_scikit_learn(files: dict[str, Path]) -> None:
    code = (
        "import sys\n"
        "from fas_core.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "assert not {'torch', 'sklearn', 'cv2', 'onnxruntime', 'matplotlib'} & set(sys.modules)\n"
    )
    arguments = ["ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--rule", "published", "-q"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_it_ends_with_the_errors_of_the_ensemble(fas: Fas, files: dict[str, Path]) -> None:
    result = fas("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--replicates", 20)
    (line,) = [line for line in result.stdout.splitlines() if "of 40 attacks accepted" in line]
    assert line.startswith("ensemble: ")
    assert "of 20 live refused" in line
    assert "APCER worst" in result.stdout
    document = json.loads(
        fas("ensemble", *of(files, "test"), "--dev", *of(files, "dev"), "--replicates", 20, "--json").stdout
    )
    assert document["results"][-1]["summary"] == line


def test_members_without_errors_differ_by_no_more_than_is_known(fas: Fas, tmp_path: Path) -> None:
    """20 samples of each class, all on the right side by both members."""
    paths = []
    for name, shift in (("a", 0.0), ("b", 0.05)):
        for split in ("dev", "test"):
            rows = [(f"{split}{at}", 0.2 + 0.6 * (at % 2) + shift, at % 2, "") for at in range(40)]
            paths.append(write(tmp_path / f"{name}_{split}.csv", rows))
    members, dev = paths[1::2], paths[::2]
    document = json.loads(fas("ensemble", *members, "--dev", *dev, "--json", "--replicates", 20).stdout)
    limit = 1 - 0.025 ** (1 / 20)
    for result in document["results"]:
        assert result["intervals"]["figures"]["apcer"] == pytest.approx([0, limit])
    assert document["comparison"]["figures"]["bpcer"]["interval"] == pytest.approx([-limit, limit])
