"""`fas score` as a user types it: any file of scores, the same table as `fas eval`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
FAST = ("--replicates", "20")

SESSIONS = "sessions are not known: no threshold is known to hold in another session"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`test.csv` and `dev.csv` as a vendor has them; `test_attack.csv` and `dev_attack.csv` the reverse."""
    folder, rng = tmp_path_factory.mktemp("scores"), np.random.default_rng(0)
    for split, count in (("dev", 80), ("test", 120)):
        lines, reverse = ["file;prob;gt;pai;person;camera"], ["file,p_spoof,is_attack,pai"]
        for at in range(count):
            live = int(at % 3 == 0)
            score = round(float(1 / (1 + np.exp(-rng.normal(3 * live - 1.5, 1)))), 4)
            species = "" if live else ("print", "replay")[at % 2]
            words = f"{('spoof', 'bonafide')[live]};{species};{split}{at % 10};{'ab'[at % 2]}"
            lines.append(f"{split}/{at:03}.jpg;{score};{words}")
            reverse.append(f"{split}/{at:03}.jpg,{1 - score:.4f},{1 - live},{species}")
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
        (folder / f"{split}_attack.csv").write_text("\n".join(reverse) + "\n")
    return folder


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_table_is_that_of_fas_eval(fas: Fas, trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    judged = document(fas("eval", trained, "--scores", path, "--group-by", "species", *FAST, "--json"))
    dev = trained / "scores" / "dev.csv"
    found = document(fas("score", path, "--dev", dev, "--group-by", "species", *FAST, "--json"))
    assert found.pop("columns")["score"] == "score"
    # Only a run knows of which sessions its threshold is.
    assert judged.pop("notes") == [*found.pop("notes"), SESSIONS]
    assert {key: value for key, value in judged.items() if key not in ("model", "split")} == found
    tables = fas("eval", trained, *FAST).stdout.partition("next:")[0].replace(f"{SESSIONS}\n", "")
    assert fas("score", path, "--dev", dev, *FAST).stdout.endswith(tables)


def test_the_figures_are_those_of_counting(fas: Fas, files: Path) -> None:
    found = document(fas("score", files / "test.csv", "--threshold", "fixed:0.6", *FAST, "--json"))
    cells = [line.split(";") for line in (files / "test.csv").read_text().splitlines()[1:]]
    live = [float(row[1]) for row in cells if row[2] == "bonafide"]
    attack = [float(row[1]) for row in cells if row[2] == "spoof"]
    assert found["metrics"]["apcer"] == sum(score >= 0.6 for score in attack) / len(attack)
    assert found["metrics"]["bpcer"] == sum(score < 0.6 for score in live) / len(live)
    assert found["threshold"] == {"value": 0.6, "policy": "fixed:0.6", "source": "given"}
    assert found["counts"] == {"live": 40, "attack": 80, "unknown": 0, "no_response": 0, "total": 120}
    assert set(found["species"]) == {"print", "replay"}


def test_high_for_attack_gives_the_same_figures(fas: Fas, files: Path) -> None:
    plain = document(fas("score", files / "test.csv", "--threshold", "fixed:0.6", *FAST, "--json"))
    arguments = ["--positive", "attack", "--threshold", "fixed:0.4", "--replicates", 0, "--json"]
    found = document(fas("score", files / "test_attack.csv", *arguments))
    assert found["metrics"] == pytest.approx(plain["metrics"])
    assert found["threshold"]["value"] == -0.4
    assert "negated" in found["notes"][0]


def test_a_fitted_threshold_of_high_for_attack(fas: Fas, files: Path) -> None:
    plain = document(fas("score", files / "test.csv", "--dev", files / "dev.csv", *FAST, "--json"))
    arguments = ["--dev", files / "dev_attack.csv", "--positive", "attack", "--replicates", 0, "--json"]
    found = document(fas("score", files / "test_attack.csv", *arguments))
    assert found["threshold"]["value"] == pytest.approx(plain["threshold"]["value"] - 1)
    assert found["metrics"] == pytest.approx(plain["metrics"])


def test_label_and_score_may_differ_in_polarity(fas: Fas, files: Path) -> None:
    """1 means attack there, and a high score of `1 - p` means live when the columns are told apart."""
    arguments = ["--label-one", "attack", "--high-score", "attack", "--threshold", "fixed:0.4", "--json"]
    both = document(fas("score", files / "test_attack.csv", *arguments, *FAST))
    said = document(fas("score", files / "test_attack.csv", "--positive", "attack", *arguments[4:], *FAST))
    assert both["metrics"] == said["metrics"]
    wrong = fas("score", files / "test_attack.csv", "--label-one", "attack", "--high-score", "live", *FAST)
    assert "attacks score higher than live samples: labels or scores may be inverted" in wrong.stderr
    assert "a high score seems to mean attack: is it --positive attack?" in wrong.stderr


def test_a_threshold_fitted_on_dev(fas: Fas, files: Path) -> None:
    for policy in ("eer", "min-acer", "apcer<=5E-2", "apcer:0.05", "bpcer<=0.1"):
        arguments = ["--dev", files / "dev.csv", "--threshold", policy, *FAST, "--json"]
        threshold = document(fas("score", files / "test.csv", *arguments))["threshold"]
        assert (threshold["policy"], threshold["source"]) == (policy, "dev")
    refused = fas("score", files / "test.csv", "--threshold", "apcer<=1e-0", *FAST)
    assert refused.exit_code == 2
    assert "must be eer, min-acer, apcer:X" in refused.stderr


def test_without_a_threshold_what_needs_none(fas: Fas, files: Path) -> None:
    result = fas("score", files / "test.csv", *FAST)
    assert result.exit_code == 0
    assert "no threshold: give --dev FILE" in result.stderr
    assert "no threshold, so these are not defined: acc, apcer" in result.stdout
    assert "EER" in result.stdout


def test_an_oracle_is_labelled(fas: Fas, files: Path) -> None:
    result = fas("score", files / "test.csv", "--threshold", "oracle:eer", *FAST)
    assert "(oracle:eer on judged)" in result.stdout
    assert "not what can be claimed" in result.stdout


def test_what_was_taken_for_what_is_shown(fas: Fas, files: Path) -> None:
    result = fas("score", files / "test.csv", *FAST)
    assert (
        "id is 'file', score is 'prob' (high = live), label is 'gt' (words)" in result.stdout.splitlines()[0]
    )
    assert document(fas("score", files / "test.csv", *FAST, "--json"))["columns"]["subject"] == "person"


def test_intervals_are_over_people(fas: Fas, files: Path) -> None:
    found = document(fas("score", files / "test.csv", "--threshold", "fixed:0.5", *FAST, "--json"))
    assert found["intervals"]["by"] == "subject"
    assert found["intervals"]["replicates"] == 20
    low, high = found["intervals"]["figures"]["acer"]
    assert low <= found["metrics"]["acer"] <= high
    arguments = ["--threshold", "fixed:0.5", "--replicates", 0, "--json"]
    assert "intervals" not in document(fas("score", files / "test.csv", *arguments))


def test_groups(fas: Fas, files: Path) -> None:
    arguments = ["score", files / "test.csv", "--threshold", "fixed:0.5", *FAST]
    found = document(fas(*arguments, "--group-by", "device", "--json"))
    assert found["groups"]["by"] == "device"
    groups = {group["name"]: group for group in found["groups"]["results"]}
    assert sum(group["counts"]["total"] for group in groups.values()) == 120
    wrong = {name: (1 - group["metrics"]["acc"]) * group["counts"]["total"] for name, group in groups.items()}
    assert sum(wrong.values()) == pytest.approx((1 - found["metrics"]["acc"]) * 120)
    shown = fas(*arguments, "--group-by", "device").stdout
    assert "By device, rates in %" in shown


def test_each_species_stands_against_all_live_samples(fas: Fas, files: Path) -> None:
    arguments = ["--threshold", "fixed:0.5", *FAST, "--group-by", "species", "--json"]
    found = document(fas("score", files / "test.csv", *arguments))
    groups = {group["name"]: group for group in found["groups"]["results"]}
    assert set(groups) == {"print", "replay"}
    for name, group in groups.items():
        assert group["counts"]["live"] == 40
        assert group["metrics"]["apcer"] == found["species"][name]["apcer"]
        assert group["metrics"]["bpcer"] == found["metrics"]["bpcer"]


def test_further_metrics(fas: Fas, files: Path) -> None:
    arguments = ["--threshold", "fixed:0.5", "--metric", "hter", "--metric", "acc", "--metric", "bpcer_ap"]
    found = document(fas("score", files / "test.csv", *arguments, *FAST, "--json"))
    assert {"acc", "hter", "bpcer10"} <= set(found["metrics"])


def test_targets_of_ones_own(fas: Fas, files: Path) -> None:
    arguments = ["score", files / "test.csv", "--threshold", "fixed:0.5", *FAST, "--json"]
    targets = ["--metric", "bpcer_ap:0.02,0.03", "--metric", "tpr_at_fpr:0.1"]
    found = document(fas(*arguments, *targets))["metrics"]
    assert [key for key in found if key.startswith(("bpcer", "tpr"))] == [
        *("tpr@fpr=1e-1", "bpcer", "bpcer50", "bpcer@apcer_max=3e-2")
    ]
    for text, said in {
        "hter:1": "hter has no targets: give --metric hter",
        "bpcer_ap:": "must be NAME[:RATE,...], e.g. bpcer_ap:0.02,0.05",
        "bpcer_ap:2": "apcers: must be distinct rates between 0 and 1",
    }.items():
        refused = fas(*arguments, "--metric", text)
        assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)
        assert said in refused.stderr


def test_the_former_spelling_of_drift_still_works(fas: Fas, files: Path) -> None:
    pair = [files / "dev.csv", files / "test.csv", "--threshold", "fixed:0.5", "--replicates", 199]
    expected = fas("drift", *pair)
    assert expected.exit_code == 0, expected.output
    for arguments in (["--compare", *pair], [pair[0], "--compare", *pair[1:]]):
        result = fas("score", *arguments)
        assert (result.exit_code, result.stdout) == (0, expected.stdout)
    assert "--compare" not in fas("score", "--help").stdout
    assert fas("score", "--compare", "--help").stdout == fas("drift", "--help").stdout


def test_videos(fas: Fas, tmp_path: Path) -> None:
    lines = [f"v{at // 4}/{at},{at / 40},{at // 4 % 2},v{at // 4}" for at in range(40)]
    (tmp_path / "frames.csv").write_text("id,score,label,video\n" + "\n".join(lines))
    found = document(
        fas(
            "score",
            tmp_path / "frames.csv",
            "--aggregate",
            "video",
            "--threshold",
            "fixed:0.5",
            *FAST,
            "--json",
        )
    )
    assert found["counts"]["total"] == 10


def test_a_submission_with_the_published_lists(fas: Fas, tmp_path: Path) -> None:
    for split, shift in (("dev", 0), ("test", 1)):
        rows = [(f"{split}/{at:04}.jpg {split}/{at:04}-d.jpg {split}/{at:04}-i.jpg", at) for at in range(20)]
        (tmp_path / f"{split}.txt").write_text("".join(f"{paths} {at / 20:.5f}\n" for paths, at in rows))
        (tmp_path / f"{split}_list.txt").write_text(
            "".join(f"{paths} {int(at > 8 + shift)}\n" for paths, at in rows)
        )
    arguments = ["--labels", tmp_path / "test_list.txt", "--dev", tmp_path / "dev.txt", *FAST, "--json"]
    found = document(
        fas("score", tmp_path / "test.txt", *arguments, "--dev-labels", tmp_path / "dev_list.txt")
    )
    assert found["metrics"]["acer"] == pytest.approx(1 / 10 / 2)
    assert found["metrics"]["bpcer"] == 0
    refused = fas("score", tmp_path / "test.txt", "--labels", tmp_path / "dev_list.txt")
    assert refused.exit_code == 2
    assert (
        "20 of 20 ids have no label (test/0000.jpg, test/0001.jpg, test/0002.jpg and 17 more)"
        in refused.stderr
    )


def test_splits_judged_together_are_noted(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("id,score,label,split\na,1,1,dev\nb,0,0,test\n")
    found = document(
        fas("score", tmp_path / "all.csv", "--threshold", "fixed:0.5", "--replicates", 0, "--json")
    )
    assert found["name"] == "all"
    assert found["notes"] == ["2 splits are judged together: dev, test"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{files}/none.csv"], "no such score file"),
        (["{files}"], "a folder, not a score file"),
        (["{files}/test.csv", "--dev", "{files}/test.csv"], "120 ids are in"),
        (["{files}/test.csv", "--threshold", "best"], "threshold 'best'"),
        (["{files}/test.csv", "--threshold", "eer"], "there are no dev scores"),
        (
            ["{files}/test.csv", "--column", "score=prop"],
            "no column 'prop' for 'score' (did you mean 'prob'?)",
        ),
        (["{files}/test.csv", "--column", "scores=prob"], "--column 'scores=prob': must be ROLE=NAME"),
        (["{files}/test.csv", "--column", "label="], "no labels"),
        (["{files}/test.csv", "--group-by", "session"], "nothing is known of the samples' session"),
        (["{files}/test.csv", "--metric", "acerr"], "acerr"),
        (["{files}/test.csv", "--aggregate", "frame"], "--aggregate 'frame'"),
        (["{files}/test.csv", "--delimiter", "comma"], "cannot tell whether the first line is a header"),
        (["{files}/test.csv", "--dev-labels", "list.txt"], "give --dev FILE too"),
        (["{files}/test.csv", "--no-header"], "no column that is plainly the score"),
        (["{files}/test_attack.csv", "--threshold", "fixed:0.4"], "does a high 'p_spoof' mean attack?"),
        (
            ["{files}/test_attack.csv", "--positive", "live"],
            "label and species contradict each other in 80 rows",
        ),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, files: Path, arguments: list[str], said: str) -> None:
    result = fas("score", *(text.format(files=files) for text in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.output


def test_nothing_heavy_is_imported(files: Path) -> None:
    arguments = ["score", str(files / "test.csv"), "--dev", str(files / "dev.csv")]
    code = (
        "import sys; from fas_core.cli import main\n"
        f"main({arguments}, standalone_mode=False)\n"
        "print({'torch', 'cv2', 'sklearn', 'matplotlib', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_infinite_scores_are_judged(fas: Fas, tmp_path: Path) -> None:
    ScoreTable.of({"id": list("abcd"), "score": [np.inf, 1, 0, -np.inf], "label": [1, 1, 0, 0]}).write(
        tmp_path / "inf.csv"
    )
    found = document(fas("score", tmp_path / "inf.csv", "--threshold", "fixed:0.5", *FAST, "--json"))
    assert found["metrics"]["acer"] == 0


@pytest.fixture
def separated(tmp_path: Path) -> Path:
    """20 people, each with 9 live samples, 9 prints and 9 masks, and not a single error."""
    lines = ["id,score,label,species,subject"]
    for person in range(20):
        for kind, score in (("live", 0.9), ("print", 0.1), ("mask_3d", 0.2)):
            lines += [
                f"{person}-{kind}-{at},{score},{int(kind == 'live')},{kind},{person}" for at in range(9)
            ]
    path = tmp_path / "vendor.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_no_error_of_20_people_is_no_proof(fas: Fas, separated: Path) -> None:
    arguments = ["score", separated, "--threshold", "fixed:0.5", *FAST]
    found = document(fas(*arguments, "--json"))
    limit = 1 - 0.025 ** (1 / 20)
    assert found["intervals"]["figures"]["apcer_max"] == pytest.approx([0, limit])
    assert found["intervals"]["species"]["print"] == pytest.approx([0, limit])
    errors = {"attacks_accepted": 0, "attacks": 360, "live_refused": 0, "live": 180}
    assert found["errors"] == errors | {"attacks_uncertain": 0, "live_uncertain": 0}
    text = fas(*arguments).stdout
    assert "0 of 180" in text
    assert "16.84" in text
    assert "exact (Clopper-Pearson over subjects), because no replicate differs: all" in text
    assert "* TPR@FPR=1e-3 stands on 360 attacks, fewer than 1,000" in text


def test_groups_have_exact_intervals_too(fas: Fas, separated: Path) -> None:
    arguments = ["--threshold", "fixed:0.5", "--group-by", "species", *FAST, "--json"]
    groups = document(fas("score", separated, *arguments))["groups"]["results"]
    assert {group["name"] for group in groups} == {"print", "mask_3d"}
    for group in groups:
        assert group["intervals"]["figures"]["apcer"][1] == pytest.approx(1 - 0.025 ** (1 / 20))


def test_the_last_line_tells_the_errors(fas: Fas, files: Path) -> None:
    result = fas("score", files / "test.csv", "--threshold", "fixed:0.6", *FAST)
    found = document(fas("score", files / "test.csv", "--threshold", "fixed:0.6", *FAST, "--json"))
    accepted = {name: item["accepted"] for name, item in found["species"].items()}
    assert sum(accepted.values()) == found["errors"]["attacks_accepted"]
    last = result.stdout.splitlines()[-1]
    assert last == found["summary"]
    assert last.startswith(f"test: {sum(accepted.values())} of 80 attacks accepted")
    assert last.endswith("of 40 live refused; accepted when score >= 0.6 (fixed:0.6)")


def test_a_useless_threshold_is_warned_of(fas: Fas, separated: Path) -> None:
    result = fas("score", separated, "--threshold", "fixed:2", *FAST)
    assert "warning: vendor: BPCER 100 %: all 180 live samples are refused" in result.stderr


def test_a_reject_band_is_given_or_fitted_on_dev(fas: Fas, tmp_path: Path) -> None:
    rows = {"live": (0.3, 0.6, 0.8, 0.9, 1.0), "attack": (0.0, 0.1, 0.2, 0.4, 0.7)}
    for name in ("dev", "test"):
        lines = [f"{name}{kind}{score},{score},{kind}" for kind, scores in rows.items() for score in scores]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,score,label", *lines]) + "\n")
    test = ("score", tmp_path / "test.csv", "--threshold", "fixed:0.5", "--json", *FAST)
    fitted = document(fas(*test, "--dev", tmp_path / "dev.csv", "--reject", "error:0"))
    band = fitted["threshold"]["reject"]
    assert (band["low"], band["high"]) == pytest.approx((0.25, 0.75))  # midway to the next scores
    # Uncertain: live 0.3 and 0.6, attacks 0.4 and 0.7; no verdict on the others is wrong.
    assert fitted["non_response"] == {"apnrr_max": 0.4, "apnrr": 0.4, "bpnrr": 0.4}
    assert (fitted["metrics"]["apcer"], fitted["metrics"]["bpcer"]) == (0, 0)
    given = document(fas(*test, "--reject", "0.45:0.65"))
    assert given["errors"]["live_uncertain"] == 1
    negated = document(fas(*test[:2], "--threshold", "fixed:-0.5", "--json", *FAST, "--high-score", "attack"))
    assert negated["threshold"]["value"] == 0.5
    refused = fas(*test, "--reject", "error:0.1")
    assert (refused.exit_code, "reject 'error:0.1' is fitted on" in refused.output) == (2, True)
