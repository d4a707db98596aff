"""`fas submit`: the published files to the byte, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from attrs import evolve
from click.testing import Result

from fas_core import Dataset, PluginError
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.submit.compose import compose_submission

Fas = Callable[..., Result]

SURF_DEV = ("--format", "casia-surf", "--split", "dev", "--data")
CEFA_DEV = ("--format", "cefa", "--split", "dev", "--data")

VAL_LIST = (
    "Val/0000/000000-color.jpg Val/0000/000000-depth.jpg Val/0000/000000-ir.jpg \r\n"
    "Val/0000/000001-color.jpg Val/0000/000001-depth.jpg Val/0000/000001-ir.jpg \r\n"
    "Val/0000/000002-color.jpg  Val/0000/000002-depth.jpg Val/0000/000002-ir.jpg\r\n"
)
SCORES = """\
id,score
Val/0000/000002-color.jpg,0.30000000000000004
Val/0000/000000-color.jpg,3.238889e-05
Val/0000/000001-color.jpg,1
"""
SUBMITTED = (
    b"Val/0000/000000-color.jpg Val/0000/000000-depth.jpg Val/0000/000000-ir.jpg 3.238889e-05\n"
    b"Val/0000/000001-color.jpg Val/0000/000001-depth.jpg Val/0000/000001-ir.jpg 1.0\n"
    b"Val/0000/000002-color.jpg Val/0000/000002-depth.jpg Val/0000/000002-ir.jpg 0.30000000000000004\n"
)

DEV = {"4@1": ["dev/003000", "dev/003001"], "4@2": ["dev/003200"], "4@3": ["dev/003400"]}
TEST = {"4@1": ["test/000001"], "4@2": ["test/001201", "test/000001"], "4@3": ["test/001201"]}
PHASE_1 = b"dev/003000 0.15361\ndev/003001 0.00000\ndev/003200 1.00000\ndev/003400 0.50000\n"
PHASE_2 = (
    b"dev/003000 0.10000\ndev/003001 0.10000\ntest/000001 0.10000\n"
    b"dev/003200 0.20000\ntest/001201 0.20000\ntest/000001 0.20000\n"
    b"dev/003400 0.30000\ntest/001201 0.30000\n"
)


@pytest.fixture
def surf(tmp_path: Path) -> Path:
    """A root of CASIA-SURF with the public dev list, as it is distributed."""
    root = tmp_path / "surf"
    root.mkdir()
    (root / "val_public_list.txt").write_bytes(VAL_LIST.encode())
    return root


@pytest.fixture
def cefa(tmp_path: Path) -> Path:
    """A root of CeFA's challenge release with the lists of both phases; 4@1's dev has labels too."""
    root = tmp_path / "cefa"
    for phase, split, videos in (("phase1", "dev", DEV), ("phase2", "test", TEST)):
        (root / phase).mkdir(parents=True)
        for protocol, names in videos.items():
            text = "".join(f"{name}\r\n" for name in names)
            (root / phase / f"{protocol}_{split}_res.txt").write_bytes(text.encode())
    (root / "phase2" / "4@1_dev_ref.txt").write_text("dev/003001 1\ndev/003000 0\n")
    return root


def score_file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def videos_file(path: Path, scores: dict[str, float]) -> Path:
    return score_file(path, "id,score\n" + "".join(f"{key},{score}\n" for key, score in scores.items()))


def test_a_casia_surf_file_is_each_line_of_the_list_and_its_score(
    fas: Fas, surf: Path, tmp_path: Path
) -> None:
    scores = score_file(tmp_path / "scores.csv", SCORES)
    result = fas("submit", scores, *SURF_DEV, surf, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_bytes() == SUBMITTED
    assert "3 lines" in result.stdout
    assert "val_public_list.txt" in result.stdout


def test_where_only_the_private_list_is_there_its_labels_are_left_out(
    fas: Fas, surf: Path, tmp_path: Path
) -> None:
    labelled = VAL_LIST.replace(" \r\n", " 1\n").replace("ir.jpg\r\n", "ir.jpg 0\n")
    (surf / "val_public_list.txt").unlink()
    (surf / "val_private_list.txt").write_text(labelled)
    scores = score_file(tmp_path / "scores.csv", SCORES)
    form = ("--format", "casia_surf", "--split", "dev", "--data", f"casia_surf:{surf}", "--json")
    result = fas("submit", scores, *form, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_bytes() == SUBMITTED
    assert json.loads(result.stdout) == {
        "format": "casia_surf",
        "split": "dev",
        "file": str(tmp_path / "s.txt"),
        "lines": 3,
    }


def test_phase_1_of_cefa_has_the_three_dev_lists_with_five_decimals(
    fas: Fas, cefa: Path, tmp_path: Path
) -> None:
    scores = videos_file(
        tmp_path / "scores.csv",
        {"dev/003400": 0.5, "dev/003200": 0.999999, "dev/003001": 0.0000049, "dev/003000": 0.153614},
    )
    result = fas("submit", scores, *CEFA_DEV, cefa, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_bytes() == PHASE_1


def test_phase_2_of_cefa_has_dev_and_test_of_each_by_its_own_system(
    fas: Fas, cefa: Path, tmp_path: Path
) -> None:
    files = []
    for protocol, score in (("4@1", 0.1), ("4@2", 0.2), ("4@3", 0.3)):
        names = [*TEST[protocol], *DEV[protocol]]
        files.append(videos_file(tmp_path / f"{protocol}.csv", dict.fromkeys(names, score)))
    result = fas("submit", *files, "--format", "cefa", "--data", cefa, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_bytes() == PHASE_2


@pytest.mark.parametrize(
    ("vote", "score"), [("video", "0.30000"), ("video:median", "0.20000"), ("video:max", "0.60000")]
)
def test_frames_are_made_videos(fas: Fas, cefa: Path, tmp_path: Path, vote: str, score: str) -> None:
    rows = [
        f"{video}/profile/{frame:04}.jpg,{value},{video}\n"
        for names in DEV.values()
        for video in names
        for frame, value in enumerate((0.6, 0.1, 0.2), 1)
    ]
    scores = score_file(tmp_path / "scores.csv", "id,score,video\n" + "".join(rows))
    result = fas("submit", scores, *CEFA_DEV, cefa, "--aggregate", vote, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_text() == "".join(
        f"{video} {score}\n" for names in DEV.values() for video in names
    )


def test_a_submission_is_read_back_and_written_again(fas: Fas, surf: Path, tmp_path: Path) -> None:
    (tmp_path / "before.txt").write_bytes(SUBMITTED.replace(b"\n", b"\r\n"))
    result = fas("submit", tmp_path / "before.txt", *SURF_DEV, surf, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_bytes() == SUBMITTED


def run_folder(path: Path, root: Path, name: str, scores: dict[str, dict[str, float]]) -> Path:
    """As much of a run as a submission reads."""
    (path / "scores").mkdir(parents=True)
    (path / "recipe.yaml").write_text(yaml.safe_dump({"data": {"name": name, "root": str(root)}}))
    for split, values in scores.items():
        videos_file(path / "scores" / f"{split}.csv", values)
    return path


def test_a_run_knows_where_its_lists_lie_and_what_it_gave_each_split(
    fas: Fas, cefa: Path, tmp_path: Path
) -> None:
    dev = dict.fromkeys((name for names in DEV.values() for name in names), 0.25)
    test = dict.fromkeys((name for names in TEST.values() for name in names), 0.75)
    run = run_folder(tmp_path / "run", cefa, "cefa", {"dev": dev, "test": test})
    result = fas("submit", run, "--format", "cefa", "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "s.txt").read_text().splitlines()
    assert len(lines) == 8
    assert lines[:3] == ["dev/003000 0.25000", "dev/003001 0.25000", "test/000001 0.75000"]
    only_dev = fas("submit", run, "--format", "cefa", "--split", "dev", "-o", tmp_path / "d.txt")
    assert only_dev.exit_code == 0, only_dev.output
    assert len((tmp_path / "d.txt").read_text().splitlines()) == 4


def test_a_set_of_runs_gives_each_sub_protocols_lines(fas: Fas, cefa: Path, tmp_path: Path) -> None:
    from fas_core.config.components import DatasetChoice
    from fas_core.config.recipe import Recipe
    from fas_core.registry import registry
    from fas_core.runs.run_sets import ProtocolRuns

    choice = DatasetChoice("cefa", registry().find(Dataset, "cefa").options(), cefa)
    recipe = evolve(Recipe(), data=choice)
    runs = ProtocolRuns(tmp_path / "set", recipe, registry(), "cefa-4", ("4@1", "4@2", "4@3"))
    runs.create()
    for protocol, score in (("4@1", 0.1), ("4@2", 0.2), ("4@3", 0.3)):
        run = runs.run(protocol)
        run.create()
        run.append_metrics({"epoch": recipe.train.epochs})
        run.write_text("results.json", "{}")
        (run.path / "scores").mkdir()
        for split, lists in (("dev", DEV), ("test", TEST)):
            videos_file(run.scores(split), dict.fromkeys(lists[protocol], score))
    result = fas("submit", tmp_path / "set", "--format", "cefa", "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "s.txt").read_bytes() == PHASE_2


def test_an_unlabelled_split_that_a_run_does_not_hold_is_scored(
    fas: Fas, trained: Path, faces: Path, tmp_path: Path
) -> None:
    photos = [path.relative_to(faces).as_posix() for path in sorted((faces / "test" / "live").glob("*.png"))]
    root = tmp_path / "root"
    shutil.copytree(faces / "test", root / "test")
    (root / "test_public_list.txt").write_text("".join(f"{photo} {photo} {photo}\n" for photo in photos))
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / "scores" / "test.csv").unlink()
    result = fas("submit", run, "--format", "casia-surf", "--data", root, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in (tmp_path / "s.txt").read_text().splitlines()]
    assert [line[:3] for line in lines] == [[photo] * 3 for photo in photos]
    table = ScoreTable.read(trained / "scores" / "test.csv")
    own = dict(zip(table.table.column("id").to_pylist(), table.scores, strict=True))
    assert [float(line[3]) for line in lines] == pytest.approx(
        [own[next(key for key in own if key in photo)] for photo in photos], abs=1e-6
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Val/0000/000001-color.jpg,1\n", ""), ["1 of 3 lines of val_public_list.txt have no score"]),
        (("000001-color.jpg,1", "a.png,1"), ["have no score", "1 of 3 scores are of no line", "a.png"]),
        (
            ("000001-color.jpg,1", "000001-color.jpg,nan"),
            ["1 of 3 scores are not a finite", "000001-color.jpg"],
        ),
        (("000001-color.jpg,1", "000001-color.jpg,inf"), ["1 of 3 scores are not a finite number"]),
        (("000001-color.jpg,1", "000002-color.jpg,1"), ["more than once", "000002-color.jpg"]),
        (("000001-color.jpg,1", "000001-color.jpg,high"), ["scores.csv"]),
    ],
)
def test_scores_that_are_not_those_of_the_list_are_refused(
    fas: Fas, surf: Path, tmp_path: Path, change: tuple[str, str], said: list[str]
) -> None:
    scores = score_file(tmp_path / "scores.csv", SCORES.replace(*change))
    result = fas("submit", scores, *SURF_DEV, surf, "-o", tmp_path / "s.txt")
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    for text in said:
        assert text in result.stderr
    assert not (tmp_path / "s.txt").exists()


def test_of_many_missing_lines_the_first_few_are_named(fas: Fas, cefa: Path, tmp_path: Path) -> None:
    names = [f"dev/{number:06}" for number in range(100)]
    (cefa / "phase1" / "4@2_dev_res.txt").write_text("\n".join(names))
    scores = videos_file(tmp_path / "scores.csv", dict.fromkeys([*DEV["4@1"], *DEV["4@3"]], 0.5))
    result = fas("submit", scores, *CEFA_DEV, cefa, "-o", tmp_path / "s.txt")
    assert result.exit_code == 2
    assert "100 of 103 lines of" in result.stderr
    assert "dev/000000, dev/000001" in result.stderr
    assert "and 95 more" in result.stderr
    assert len(result.stderr) < 500


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("4@2_dev_res.txt", None, "no 4@2_dev_res.txt nor 4@2_dev_ref.txt"),
        ("4@2_dev_res.txt", "\r\n", "the list is empty"),
        ("4@2_dev_res.txt", "dev/1\ndev/1/\n", ":2: dev/1 is listed before"),
        ("4@2_dev_res.txt", "dev/1/profile/0001.jpg 1\n", "is not like dev/003000"),
        ("4@2_dev_res.txt", "dev/1 1 2\n", "is not like dev/003000"),
    ],
)
def test_lists_that_are_not_the_challenges_are_refused(
    fas: Fas, cefa: Path, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    file = cefa / "phase1" / name
    file.unlink()
    if text is not None:
        file.write_text(text)
    scores = videos_file(tmp_path / "scores.csv", {"dev/003000": 0.5})
    result = fas("submit", scores, *CEFA_DEV, cefa, "-o", tmp_path / "s.txt")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "s.txt").exists()


def test_a_line_twice_in_the_list_is_refused(fas: Fas, surf: Path, tmp_path: Path) -> None:
    (surf / "val_public_list.txt").write_text(VAL_LIST + VAL_LIST)
    scores = score_file(tmp_path / "scores.csv", SCORES)
    result = fas("submit", scores, *SURF_DEV, surf, "-o", tmp_path / "s.txt")
    assert result.exit_code == 2
    assert "3 samples are listed twice" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{scores}", "--format", "casia-surv"], "did you mean 'casia-surf'"),
        (["{scores}", "--format", "folder"], "no such format"),
        (["{scores}", "--format", "casia-surf"], "--data ROOT"),
        (["{scores}", "--format", "casia-surf", "--data", "/no/such"], "/no/such"),
        (["{scores}", "--format", "casia-surf", "--data", "{surf}"], "no list of 'test'"),
        (["/no/such", "--format", "casia-surf"], "/no/such: no such run, model or file of scores"),
        (["/no/such.csv", *SURF_DEV, "{surf}"], "/no/such.csv"),
        (["{scores}", "{scores}", *SURF_DEV, "{surf}"], "give one"),
        (["{scores}", *SURF_DEV, "{surf}", "--aggregate", "photo"], "--aggregate 'photo'"),
        (["{surf}", "--format", "casia-surf"], "not a run folder"),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, surf: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    scores = score_file(tmp_path / "scores.csv", SCORES)
    result = fas(
        "submit", *(text.format(scores=scores, surf=surf) for text in arguments), "-o", tmp_path / "s.txt"
    )
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "s.txt").exists()


def test_two_systems_for_three_sub_protocols_are_refused(fas: Fas, cefa: Path, tmp_path: Path) -> None:
    files = [videos_file(tmp_path / f"{name}.csv", {"dev/003000": 0.5}) for name in "ab"]
    result = fas("submit", *files, "--format", "cefa", "--data", cefa, "-o", tmp_path / "s.txt")
    assert result.exit_code == 2
    assert "one for each of 4@1, 4@2, 4@3 in this order" in result.stderr


def test_scores_that_are_no_probabilities_are_written_with_a_warning(
    fas: Fas, surf: Path, tmp_path: Path
) -> None:
    scores = score_file(tmp_path / "scores.csv", SCORES.replace("jpg,1", "jpg,-7.5"))
    result = fas("submit", scores, *SURF_DEV, surf, "-o", tmp_path / "s.txt")
    assert result.exit_code == 0
    assert "scores from -7.5 to 0.3" in result.stderr
    assert b"000001-ir.jpg -7.5\n" in (tmp_path / "s.txt").read_bytes()


def test_a_plugins_format_is_a_function_of_its_data_set() -> None:
    lab = Dataset(
        name="lab",
        summary="Our lab's captures",
        target="acme_fas.lab:Lab",
        submission="fas_plugins.commands.submit.compose:compose_submission",
    )
    assert lab.load_submission() is compose_submission
    with pytest.raises(PluginError, match="submission 'acme' must read"):
        evolve(lab, submission="acme")
