"""`fas report` as a user types it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import Result

from fas_core.data.images import write_image
from fas_core.data.threshold_advice import ThresholdAdvice
from fas_core.runs.results import read_results, write_results
from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
FEW = ("--replicates", "20")
BARE = ("--replicates", "5", "--worst", "0")


@pytest.fixture
def other(trained: Path, tmp_path: Path) -> Path:
    """A run that is worse."""
    run = tmp_path / "runs" / "other"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("*.safetensors", "*.pt", "digests.json"))
    for file in (run / "scores").glob("*.csv"):
        table = ScoreTable.read(file)
        columns = {name: table.table.column(name) for name in table.table.column_names}
        ScoreTable.of(columns | {"score": table.scores[::-1].copy()}).write(file)
    return run


def test_a_run_as_a_page(fas: Fas, trained: Path, tmp_path: Path) -> None:
    result = fas("report", trained, "-o", tmp_path / "out" / "report.html", *FEW)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{tmp_path / 'out' / 'report.html'}: ")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<title>tiny</title>" in page
    stored = json.loads((trained / "results.json").read_text())
    assert f"{100 * stored['splits']['test']['metrics']['acer']:.2f}" in page
    assert stored["data"]["test"] in page
    assert "feathernet_a" in page


def test_several_with_their_plots_and_a_document(
    fas: Fas, trained: Path, other: Path, tmp_path: Path
) -> None:
    options = ("--plots", tmp_path / "plots", "--plot-format", "svg", "--metric", "d_prime", "--json")
    result = fas("report", trained, other, "-o", tmp_path / "report.html", *options, *FEW)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [found["name"] for found in document["systems"]] == ["tiny", "other"]
    assert len(document["systems"][0]["intervals"]["figures"]["acer"]) == 2
    (comparison,) = document["comparisons"]
    assert comparison["figures"]["auc"]["difference"] < 0
    assert "d_prime" in comparison["figures"]
    files = sorted(Path(file) for file in document["plots"])
    assert files == sorted((tmp_path / "plots").glob("*"))
    assert {file.name for file in files} >= {"roc.svg", "det.svg", "histogram-2.svg", "species.svg"}


def test_score_files_of_any_form(fas: Fas, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("file;prob;y\na;0.9;live\nb;0.2;attack\nc;0.7;attack\nd;0.4;live\n")
    result = fas("report", tmp_path / "theirs.txt", "-o", tmp_path / "report.html", "--json", *FEW)
    assert result.exit_code == 0, result.output
    assert "no threshold: give --dev SCORES" in result.stderr
    (system,) = json.loads(result.stdout)["systems"]
    assert system["metrics"]["auc"] == 0.75
    assert system["threshold"] is None
    scores = trained / "scores"
    options = ("--dev", scores / "dev.csv", "-o", tmp_path / "report.html", "--json", *FEW)
    (system,) = json.loads(fas("report", scores / "test.csv", *options).stdout)["systems"]
    stored = json.loads((trained / "results.json").read_text())["splits"]["test"]
    assert system["threshold"] == stored["threshold"]
    assert system["metrics"] == stored["metrics"]


def test_a_file_in_which_high_scores_mean_attack(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "vendor.csv").write_text("id,spoofness,truth\na,0.1,0\nb,0.8,1\nc,0.3,1\nd,0.6,0\n")
    columns = ("--column", "score=spoofness", "--column", "label=truth", "--positive", "attack")
    options = (*columns, "--threshold", "fixed:0.5", "-o", tmp_path / "report.html", *FEW)
    (system,) = json.loads(fas("report", tmp_path / "vendor.csv", *options, "--json").stdout)["systems"]
    assert system["counts"]["live"] == 2
    assert system["metrics"]["auc"] == 0.75
    assert (system["metrics"]["apcer"], system["metrics"]["bpcer"]) == (0.5, 0.5)
    assert system["threshold"]["value"] == -0.5
    assert "high scores meant attack and are negated" in (tmp_path / "report.html").read_text()
    shown = fas("report", tmp_path / "vendor.csv", *options).stdout
    assert "score is 'spoofness'" in shown


def test_the_comparison_of_two_is_printed(fas: Fas, trained: Path, other: Path, tmp_path: Path) -> None:
    shown = fas("report", trained, other, "-o", tmp_path / "report.html", *FEW).stdout
    assert "other minus tiny, rates in %" in shown
    assert "the same for both; clear: the interval leaves out 0" in shown
    assert "minus" not in fas("report", trained, "-o", tmp_path / "report.html", *FEW).stdout


def test_a_set_of_sub_protocols_is_reported_with_its_mean(fas: Fas, trained: Path, tmp_path: Path) -> None:
    for member in ("4@1", "4@2"):
        shutil.copytree(trained, tmp_path / "set" / member, ignore=shutil.ignore_patterns("*.pt"))
    recipe = yaml.safe_load((trained / "recipe.yaml").read_text())
    del recipe["format"]  # of the file, not of the recipe in it
    recipe["data"] = {"name": "cefa", "root": str(tmp_path), "protocol": "4@1"}
    tree = {"protocol": "cefa-4", "members": ["4@1", "4@2"], "recipe": recipe}
    (tmp_path / "set" / "protocol_set.yaml").write_text(yaml.safe_dump(tree))
    result = fas("report", tmp_path / "set", "-o", tmp_path / "report.html", "--json", *FEW)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [system["name"] for system in document["systems"]] == ["4@1", "4@2"]
    assert document["comparisons"] == []
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>set</title>" in page
    assert "± sd" in page


def test_another_split_and_policy(fas: Fas, trained: Path, tmp_path: Path) -> None:
    options = ("--split", "dev", "--threshold", "fixed:2", "-o", tmp_path / "report.html", "--json", *FEW)
    (system,) = json.loads(fas("report", trained, *options).stdout)["systems"]
    assert system["threshold"] == {"value": 2.0, "policy": "fixed:2", "source": "given"}
    assert system["metrics"]["bpcer"] == 1


@pytest.fixture
def banded(trained: Path, tmp_path: Path) -> Path:
    """A run whose recipe has a band of uncertain scores, and a note on its threshold."""
    run = tmp_path / "banded"
    shutil.copytree(trained, run)
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe | {"reject": "0.001:0.999"}))
    return run


@pytest.mark.parametrize("options", [(), ("--reject", "none"), ("--threshold", "fixed:0.5")])
def test_the_verdicts_of_a_run_are_those_of_eval(
    fas: Fas, banded: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Before and after a calibration, whose threshold has no band."""
    write_image(tmp_path / "site/ann/0.png", np.full((48, 48, 3), 170, np.uint8))
    report = ("report", banded, "-o", tmp_path / "report.html", "--json", "--worst", "0", *FEW, *options)
    for calibrated in (False, True):
        judged = json.loads(fas("eval", banded, "--json", *FEW, *options).stdout)
        (system,) = json.loads(fas(*report).stdout)["systems"]
        for key in ("threshold", "errors", "metrics", "non_response"):
            assert system[key] == judged[key], (calibrated, key)
        assert ("reject" in system["threshold"]) == (not calibrated and "none" not in options)
        if not calibrated:
            assert fas("calibrate", banded, tmp_path / "site", "--no-detect").exit_code == 0
    assert system["threshold"]["policy"] == (options[1] if "fixed:0.5" in options else "calibrated:0.05")


def test_a_note_on_the_threshold_of_training_is_not_of_another_one(
    fas: Fas, banded: Path, tmp_path: Path
) -> None:
    results = read_results(banded)
    advice = ThresholdAdvice(False, "the sessions of dev are those of train")
    results["threshold"] = advice.to_json()
    results["splits"]["test"]["notes"] = [advice.note, "another note"]
    write_results(banded, results)
    report = ("report", banded, "-o", tmp_path / "report.html", "--json", "--worst", "0", *FEW)
    (own,) = json.loads(fas(*report).stdout)["systems"]
    assert {advice.note, "another note"} <= set(own["notes"])
    (other,) = json.loads(fas(*report, "--threshold", "fixed:0.5").stdout)["systems"]
    assert advice.note not in other["notes"]
    assert "another note" in other["notes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/run"], "/no/such/run"),
        (["{faces}"], "not a run folder"),
        (["{trained}", "{trained}"], "given twice"),
        (["{trained}", "--split", "tset"], "no scores of split 'tset' (there are: dev, test)"),
        (["{trained}", "--threshold", "best"], "threshold 'best'"),
        (["{trained}", "--dev", "{trained}/scores/dev.csv"], "1 --dev for 0 score files"),
        (["{trained}/scores/test.csv", "--threshold", "eer"], "there are no dev scores"),
        (["{trained}/scores/test.csv", "--dev", "{trained}/scores/test.csv"], "24 ids are in"),
        (["{trained}", "--metric", "aucc"], "did you mean 'auc'"),
        (["{trained}/results.json"], "results.json"),
        (["{trained}", "-o", "{trained}/recipe.yaml/report.html"], "cannot be written"),
    ],
)
def test_an_error_is_one_line_and_no_report(
    fas: Fas, trained: Path, faces: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    filled = [text.format(trained=trained, faces=faces) for text in arguments]
    output = [] if "-o" in filled else ["-o", tmp_path / "report.html"]
    result = fas("report", *filled, *output, *FEW)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_one_line(
    fas: Fas, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = PathFinder.find_spec
    monkeypatch.setattr(
        PathFinder,
        "find_spec",
        lambda name, *rest: None if name in ("matplotlib", "jinja2") else found(name, *rest),
    )
    for name in [name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "jinja2")]:
        monkeypatch.delitem(sys.modules, name)
    result = fas("report", trained, "-o", tmp_path / "report.html")
    assert result.exit_code == 2
    assert result.stderr == "error: this needs matplotlib, jinja2: pip install 'fas-core[report]'\n"


def test_it_needs_no_torch(trained: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from fas_core.cli import main\n"
        f"main(['report', {str(trained)!r}, '-o', {str(tmp_path / 'report.html')!r}, '--replicates', '5'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").is_file()


ALL_REFUSED = ("--threshold", "fixed:2", "--worst", "2", *FEW)
NO_TORCH = "import sys; sys.modules['torch'] = None\nfrom fas_core.cli import main\nmain(sys.argv[1:])"


def tiles(page: str) -> list[str]:
    """Captions of the images of misclassified samples."""
    return re.findall(r"<figcaption>([^<±]+?) ?(?:±[^<]*)?</figcaption></figure>", page)


def test_maps_of_misclassified_samples(fas: Fas, trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert fas("report", trained, "-o", file, *ALL_REFUSED).exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert tiles(page) == ["rgb", "Grad-CAM", "occlusion"] * 2
    assert "blue is evidence for live, orange is evidence for attack" in page
    assert re.search(r'alt="rgb Grad-CAM of test/live/', page)
    assert len(page) < 1_000_000
    assert fas("report", trained, "-o", file, *ALL_REFUSED, "--no-explain").exit_code == 0
    plain = file.read_text(encoding="utf-8")
    assert tiles(plain) == ["rgb"] * 2
    assert "No maps" not in plain
    assert "evidence for live" not in plain


def test_missing_maps_are_explained(fas: Fas, trained: Path, other: Path, tmp_path: Path) -> None:
    """Without torch, without weights, and for a score file, which has no model."""
    file = tmp_path / "report.html"
    command = [sys.executable, "-c", NO_TORCH, "report", str(trained), "-o", str(file), *ALL_REFUSED]
    subprocess.run(command, check=True, capture_output=True)
    page = file.read_text(encoding="utf-8")
    assert "No maps of what the model looked at: this needs torch: pip install" in page
    assert tiles(page) == ["rgb"] * 2
    assert fas("report", other, "-o", file, *ALL_REFUSED).exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert f"No maps of what the model looked at: {other / 'best.safetensors'}: " in page
    assert tiles(page) == ["rgb"] * 2
    assert fas("report", trained / "scores" / "test.csv", "-o", file, *ALL_REFUSED).exit_code == 0
    assert "No maps" not in file.read_text(encoding="utf-8")


@pytest.fixture
def separated(tmp_path: Path) -> Path:
    """20 people, each with 3 live samples, 3 prints and 3 masks, and not a single error at 0.5."""
    rows = ["id,score,label,species,subject"]
    for person in range(20):
        for kind, score in (("live", 0.9), ("print", 0.1), ("mask_3d", 0.2)):
            rows += [f"{person}-{kind}-{at},{score},{int(kind == 'live')},{kind},{person}" for at in range(3)]
    path = tmp_path / "vendor.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_the_page_tells_the_errors_in_words(fas: Fas, separated: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    result = fas("report", separated, "--threshold", "fixed:0.5", "-o", output, *FEW)
    assert result.exit_code == 0, result.output
    sentence = "vendor: 0 of 120 attacks accepted; 0 of 60 live refused; accepted when score"
    page = output.read_text(encoding="utf-8")
    assert f"<p>{sentence} &gt;= 0.5 (fixed:0.5).</p>" in page
    assert sentence in result.stdout
    assert "16.84" in page
    assert "exact (Clopper-Pearson over subjects)" in page
    assert "mask_3d 0 % (0 of 60), print 0 % (0 of 60)" in page


def test_the_page_warns_of_a_model_of_no_use(fas: Fas, separated: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    result = fas("report", separated, "--threshold", "fixed:0.05", "-o", output, *FEW)
    page = output.read_text(encoding="utf-8")
    assert page.count('<p class="warning">') == 1
    assert "APCER 100 %: all 120 attacks are accepted at this threshold." in page
    assert "APCER 100 %: all 120 attacks are accepted" in result.stderr
    document = json.loads(
        fas("report", separated, "--threshold", "fixed:0.05", "-o", output, "--json", *FEW).stdout
    )
    assert len(document["systems"][0]["warnings"]) == 1


def test_the_worst_species_comes_first_in_the_plot(fas: Fas, separated: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    fas("report", separated, "--threshold", "fixed:0.15", "-o", output, *FEW)
    page = output.read_text(encoding="utf-8")
    assert "vendor: mask_3d 100 % (60 of 60), print 0 % (0 of 60)" in page
    assert "APCER worst" in page
    assert "APCER pooled" in page


def test_targets_are_met_or_not_or_cannot_be_told(fas: Fas, separated: Path, tmp_path: Path) -> None:
    """20 people without an error show 20 %, not 5 %."""
    report = ("report", separated, "--threshold", "fixed:0.5", "-o", tmp_path / "report.html", *BARE)
    result = fas(*report, "--target", "apcer_max<=0.05,bpcer<=0.2")
    assert result.exit_code == 0, result.output
    assert (
        "vendor: cannot tell: APCER worst at most 5 %: it is 0 % of mask_3d, 0 % to 16.8 %" in result.stdout
    )
    assert "vendor: pass: BPCER at most 20 %" in result.stdout
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<div class="box cannot-tell">' in page
    assert "<strong>pass</strong>: BPCER at most 20\u00a0%" in page
    (system,) = json.loads(fas(*report, "--target", "bpcer:0.2", "--json").stdout)["systems"]
    assert system["verdict"] == "pass"
    assert system["targets"][0]["needed"] == 17
    wrong = fas(*report, "--target", "bpcer")
    assert wrong.exit_code == 2
    assert "must be METRIC<=RATE" in wrong.stderr


def test_systems_and_the_page_have_the_names_that_are_given(
    fas: Fas, trained: Path, other: Path, tmp_path: Path
) -> None:
    output = tmp_path / "report.html"
    named = (f"old model={trained}", f"new={other}")
    result = fas("report", *named, "--title", "Spring <audit>", "-o", output, "--json", *BARE)
    assert result.exit_code == 0, result.output
    assert [system["name"] for system in json.loads(result.stdout)["systems"]] == ["old model", "new"]
    page = output.read_text(encoding="utf-8")
    assert "<title>Spring &lt;audit&gt;</title>" in page
    assert "new minus old model, rates in %" in page
    twice = fas("report", f"a={trained}", f"a={other}", "-o", output, *BARE)
    assert twice.exit_code == 2
    assert "a: two systems of one name" in twice.stderr


def test_a_file_whose_name_has_an_equals_sign(fas: Fas, separated: Path, tmp_path: Path) -> None:
    path = tmp_path / "lr=0.1.csv"
    shutil.copy(separated, path)
    result = fas("report", path, "--threshold", "fixed:0.5", "-o", tmp_path / "r.html", "--json", *BARE)
    assert [system["name"] for system in json.loads(result.stdout)["systems"]] == ["lr=0.1"]


def test_a_banner_where_faces_are_simulated(fas: Fas, trained: Path, tmp_path: Path) -> None:
    output, banner = tmp_path / "report.html", '<p class="banner"><strong>Simulated faces.</strong>'
    fas("report", trained, "-o", output, *BARE)
    assert banner not in output.read_text(encoding="utf-8")
    run = tmp_path / "simulated"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("*.safetensors", "*.pt"))
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    recipe["data"] = {"name": "synthetic", "root": str(tmp_path / "gone")}
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    fas("report", run, trained, "-o", output, *BARE)
    page = output.read_text(encoding="utf-8")
    assert f"{banner} The figures of simulated are" in page.replace("\n", " ")


def test_the_data_of_a_run_are_checked(fas: Fas, trained: Path, faces: Path, tmp_path: Path) -> None:
    """By their lists, and with --check-files by their files, as `fas data check` does."""
    output = tmp_path / "report.html"
    fas("report", trained, "-o", output, *BARE)
    page = output.read_text(encoding="utf-8")
    assert "no person or sample is in two splits" in page
    assert "Image files were not" in page
    leaking = tmp_path / "faces"
    shutil.copytree(faces, leaking)
    (source,) = (leaking / "train" / "live").glob("00*")
    shutil.copy(source, leaking / "dev" / "live" / "copy.png")
    options = ("-o", output, "--json", "--data", f"folder:{leaking}", "--check-files", *BARE)
    (system,) = json.loads(fas("report", trained, *options).stdout)["systems"]
    checked = json.loads(fas("data", "check", f"folder:{leaking}", "--json").stdout)[f"folder:{leaking}"]
    assert system["data"] == checked
    page = output.read_text(encoding="utf-8")
    assert "<strong>Problem:</strong> train and dev share 1 identical file" in page
