"""`fas export` on a run folder, with a network of a plugin that exports in a second."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from attrs import evolve
from click.testing import CliRunner, Result
from torch import Tensor, nn

from fas_core import Backbone, Exporter
from fas_core.cli import main
from fas_core.cli.export_tables import describe_slow_forms
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import Exported, Verification
from fas_core.exporting.export_run import ExportPlan
from fas_core.exporting.verify import compare_on
from fas_core.inference.score_samples import score_samples
from fas_core.models.build import build_model
from fas_core.models.checkpoint import save_weights
from fas_core.models.model import scorer
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.runs.card import build_card
from fas_core.runs.run import Run
from fas_core.runtime import ModelFile
from fas_core.scores.table import ScoreTable

SIDE = 16


class Tiny(nn.Module):
    """(B, 3, 16, 16) -> two logits."""

    num_features, embedding_dim, num_logits, reduction = 4, 4, 2, 2

    def __init__(self, options: Any, in_channels: int, input_size: int, until: str, num_classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 4, 3, 2, 1)
        self.head = nn.Linear(4, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x))

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


class Liar(Tiny):
    """Its graph is not what it computes."""

    def forward_embedding(self, x: Tensor) -> Tensor:
        return super().forward_embedding(x) + (5 if torch.compiler.is_exporting() else 0)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """What is installed, and a distribution with the two networks above."""
    module = ModuleType("acme_fas")
    vars(module).update(Tiny=Tiny, Liar=Liar)
    monkeypatch.setitem(sys.modules, "acme_fas", module)
    components = tuple(
        Backbone(name=cls.__name__.lower(), summary="for tests", target=f"acme_fas:{cls.__name__}")
        for cls in (Tiny, Liar)
    )
    acme = PluginRecord("acme", "acme-fas", "1.0", "active", components=components)
    found = Registry((*registry().records, acme))
    monkeypatch.setattr("fas_core.registry.registry", lambda: found)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Root of a `folder` data set: dev has 30 attacks and 10 live samples, RGB and IR."""
    rng = np.random.default_rng(14)
    for folder, count in (("train/live", 1), ("dev/live", 10), ("dev/attack/print", 30)):
        for number in range(count):
            for modality in ("rgb", "ir"):
                path = tmp_path / "data" / folder / modality / f"{folder.replace('/', '-')}-{number:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), rng.integers(0, 256, (20, 24, 3), np.uint8))
    return tmp_path / "data"


@pytest.fixture
def make_run(plugins: Registry, data: Path, tmp_path: Path) -> Callable[..., Run]:
    """`make_run(backbone, threshold policy, side, modalities)`: a run folder as a training leaves it."""

    def make(
        backbone: str = "tiny",
        threshold: str = "fixed:0.25",
        side: int = SIDE,
        modalities: tuple[str, ...] = ("rgb", "ir"),
    ) -> Run:
        fusion = "concat_linear" if len(modalities) > 1 else "single"
        tree = {
            "data": {"name": "folder", "root": str(data)},
            "modalities": list(modalities),
            "model": {"backbone": backbone, "fusion": fusion, "input_size": side},
            "threshold": threshold,
        }
        run = Run(tmp_path / "run", structure(tree, Recipe, plugins, "test"), plugins)
        run.create()
        for seed, which in enumerate(("best", "last")):
            torch.manual_seed(seed)
            save_weights(build_model(run.recipe, plugins), run.path / f"{which}.safetensors")
        return run

    return make


def fas(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in ("export", *arguments)])


def assert_refused(result: Result, *parts: str) -> None:
    """Exit code 2, and one line that says all of `parts`."""
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    for part in parts:
        assert part in line


def test_writes_the_runs_model(make_run: Callable[..., Run], data: Path) -> None:
    run = make_run()
    result = fas(run.path)
    assert (result.exit_code, result.stderr) == (0, "")
    path = run.path / "model.onnx"
    size = f"{path.stat().st_size / 1e6:.2f} MB"
    for part in (str(path), size, "opset 18", "left over none", "rgb, ir", "score >= 0.25 (fixed:0.25)"):
        assert part in result.stdout
    assert "40 samples of dev (10 live, 30 attack)" in result.stdout
    stored = json.loads((run.path / "model.onnx.verification.json").read_text())
    assert (stored["file"], stored["split"], stored["samples"]) == ("model.onnx", "dev", 40)
    assert stored["max_difference"] <= 1e-5
    assert stored["changed"] == 0
    assert stored["acer_before"] == stored["acer_after"]
    assert stored["latency"] > 0

    exported = ModelFile(path)
    card = build_card(run)
    recipe = card.recipe
    assert recipe["data"]["root"] == str(data)
    assert exported.card == evolve(card, recipe={**recipe, "data": {**recipe["data"], "root": None}})
    images = {
        name: np.random.default_rng(place).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
        for place, name in enumerate(("rgb", "ir"))
    }
    with torch.inference_mode():
        expected = run.model("best")({name: torch.from_numpy(item) for name, item in images.items()})
    np.testing.assert_allclose(exported(images), expected.score.numpy(), atol=1e-6)


def test_files_name_no_folder_of_this_machine(
    make_run: Callable[..., Run], data: Path, tmp_path: Path
) -> None:
    run, folder = make_run(), tmp_path / "exported"
    assert fas(run.path, "--format", "onnx,torch,triton", "-o", folder, "-q").exit_code == 0
    assert fas(run.path, "-o", tmp_path / "kept.onnx", "--keep-data-root", "-q").exit_code == 0
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path.suffix for path in contents} >= {".onnx", ".pt2", ".json", ".pbtxt"}
    for path, content in contents.items():
        for private in (tmp_path, Path(__file__).parents[2], Path(torch.__file__).parent):
            assert str(private).encode() not in content, path
    assert str(data).encode() in (tmp_path / "kept.onnx").read_bytes()


def test_what_is_next_names_the_file_and_the_data(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run, path = make_run(), tmp_path / "my model.onnx"
    steps = fas(run.path, "-o", path).stdout.partition("next:\n")[2].splitlines()
    assert steps == [f"  fas predict '{path}' PHOTO", f"  fas serve '{path}'"]
    assert "next:" not in fas(run.path, "--format", "torch", "-o", tmp_path / "m.pt2").stdout


def test_json_and_exporter_options(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run()
    path = tmp_path / "deep" / "er" / "m.onnx"
    result = fas(run.path, "-o", path, "--set", "opset=20", "--samples", 4, "--json")
    document = json.loads(result.stdout)
    (file,) = document.pop("files")
    assert document == {
        "run": str(run.path),
        "weights": "best",
        "modalities": ["rgb", "ir"],
        "input_size": SIDE,
        "threshold": {"value": 0.25, "policy": "fixed:0.25", "source": "given"},
        "recipe_digest": ModelFile(path).card.digest,
        "compared_on": {"split": "dev", "live": 1, "attack": 3, "total": 4},
        "note": None,
        "novelty": None,
        "refused": [],
    }
    expected = {"path": str(path), "format": "onnx", "form": "fp32", "opset": 20, "samples": 4}
    assert expected.items() <= file.items()
    assert file["size"] == path.stat().st_size
    assert file["max_difference"] <= 1e-5
    assert not (run.path / "model.onnx").exists()


def test_fitted_threshold_stays_with_the_best_weights(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run(threshold="eer")
    scores = {"id": ["a", "b"], "score": [0.25, 0.75], "label": [0, 1]}
    ScoreTable.of(scores).write(run.scores("dev"))
    paths = {which: tmp_path / f"{which}.onnx" for which in ("best", "last")}
    results = {which: fas(run.path, "--weights", which, "-o", path) for which, path in paths.items()}
    assert "score >= 0.5 (eer on dev)" in results["best"].stdout
    assert "fitted on its best weights" in results["last"].stderr
    cards = {which: ModelFile(path).card for which, path in paths.items()}
    assert cards["best"].threshold is not None
    assert cards["best"].threshold.value == 0.5
    assert cards["last"].threshold is None
    white = np.full((1, SIDE, SIDE, 3), 255, np.uint8)
    found = [ModelFile(path)({"rgb": white, "ir": white})[0] for path in paths.values()]
    assert found[0] != pytest.approx(found[1])


def test_run_without_dev_scores(make_run: Callable[..., Run]) -> None:
    run = make_run(threshold="eer")
    result = fas(run.path)
    assert result.exit_code == 0
    assert "no dev scores" in result.stderr
    assert ModelFile(run.path / "model.onnx").card.threshold is None


def test_mismatch_leaves_no_file(make_run: Callable[..., Run]) -> None:
    run = make_run("liar")
    result = fas(run.path, "--quiet")
    assert_refused(result, "model.onnx: not written", "differ by")
    assert not list(run.path.glob("*.onnx*"))
    assert not list(run.path.glob(".*"))


def test_data_that_is_gone(make_run: Callable[..., Run], data: Path) -> None:
    run = make_run()
    shutil.rmtree(data)
    assert_refused(fas(run.path), str(data), "data is needed", "--data names other data")


def test_image_that_is_gone(make_run: Callable[..., Run], data: Path) -> None:
    run = make_run()
    path = data / "dev/live/ir/dev-live-00.png"
    path.write_bytes(path.read_bytes()[:100])
    assert_refused(fas(run.path, "--samples", 40, "--quiet"), str(path), "data is needed")


def test_weights_that_are_not_there(make_run: Callable[..., Run]) -> None:
    run = make_run()
    (run.path / "last.safetensors").unlink()
    assert_refused(fas(run.path, "--weights", "last"), "last.safetensors", "no such weights")


def test_several_at_once(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run, folder = make_run(), tmp_path / "out"
    flags = ("--format", "onnx", "--format", "torch,onnx", "--form", "fp16,fp32", "--samples", 8)
    result = fas(run.path, *flags, "-o", folder, "--json")
    assert result.exit_code == 0, result.stderr
    files = json.loads(result.stdout)["files"]
    named = ["model.onnx", "model.fp16.onnx", "model.pt2"]
    assert [Path(file["path"]).name for file in files] == named
    assert [(file["format"], file["form"]) for file in files] == [
        ("onnx", "fp32"),
        ("onnx", "fp16"),
        ("torch", "fp32"),
    ]
    expected = sorted([*named, *(f"{name}.verification.json" for name in named)])
    assert sorted(path.name for path in folder.iterdir()) == expected
    fp32, fp16, _ = (file["max_difference"] for file in files)
    assert fp32 < fp16 < 1e-2


def test_a_benchmark_recommends_a_file(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run()
    arguments = (run.path, "-o", tmp_path / "out", "--benchmark", "--fp32", "--int8", "--set", "acer_loss=1")
    result = fas(*arguments)
    assert result.exit_code == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if line.startswith("recommended: onnx ")]
    assert len(lines) == 1
    assert "eager PyTorch" in result.stdout
    document = json.loads(fas(*arguments, "--json").stdout)
    benchmark, files = document["benchmark"], {item["name"]: item for item in document["benchmark"]["files"]}
    assert set(files) == {"onnx fp32", "onnx int8"}
    assert set(benchmark["cpu"]) == {"name", "features"}
    for written in document["files"]:
        measured = files[f"{written['format']} {written['form']}"]
        assert (measured["path"], measured["acer"]) == (written["path"], written["acer_after"])
        assert measured["acer_change"] == written["acer_after"] - written["acer_before"]
        assert measured["ratio"] == pytest.approx(benchmark["eager_milliseconds"] / measured["milliseconds"])
    best = max(files.values(), key=lambda item: item["ratio"])  # acer_loss=1 allows any
    assert benchmark["recommended"] == best["path"]
    assert benchmark["recommendation"].startswith(f"{best['name']}: ")


def test_one_refusal_does_not_stop_the_others(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run, folder = make_run(), tmp_path / "out"
    flags = ("--format", "onnx,torch", "--int8", "--pruned", "--set", "acer_loss=1", "--samples", 8)
    result = fas(run.path, *flags, "-o", folder, "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert [Path(file["path"]).name for file in document["files"]] == ["model.int8.onnx"]
    refused = [(item["format"], item["form"], item["error"]) for item in document["refused"]]
    assert [item[:2] for item in refused] == [("onnx", "pruned"), ("torch", "fp32")]
    assert "no hidden channels" in refused[0][2]
    assert "torch is written in fp32 only" in refused[1][2]
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {item[2]}" for item in refused]
    assert sorted(path.name for path in folder.iterdir()) == [
        "model.int8.onnx",
        "model.int8.onnx.verification.json",
    ]


def test_an_old_opset_and_a_static_batch(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run, path = make_run(), tmp_path / "m.onnx"
    result = fas(run.path, "--opset", 11, "--static-batch", 3, "--samples", 8, "-o", path)
    assert result.exit_code == 0, result.stderr
    assert "opset 11, batch 3" in result.stdout
    images = {name: np.full((4, SIDE, SIDE, 3), 99, np.uint8) for name in ("rgb", "ir")}
    assert len(ModelFile(path)(images)) == 4
    assert_refused(fas(run.path, "--format", "torch", "--opset", 11), "--opset: torch has no such option")


def test_a_decision_that_rounding_changes_is_a_tie(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run()
    assert fas(run.path, "--samples", 40).exit_code == 0
    comparison = compare_on(run, scorer(run.model()), build_card(run), 40)
    file = ModelFile(run.path / "model.onnx")
    exported = score_samples(file, comparison.samples, model_input=file.card.input, description="test").scores
    lower = np.flatnonzero(exported < comparison.reference.scores)  # by 1e-7 or less
    assert len(lower)
    threshold = float(comparison.reference.scores[lower[0]])
    tied = run.changed({"threshold": f"fixed:{threshold!r}"})
    tied.write_recipe()
    result = fas(run.path, "--samples", 40, "--json")
    assert result.exit_code == 0, result.stderr
    (document,) = json.loads(result.stdout)["files"]
    assert (document["changed"], document["ties"]) == (0, 1)
    assert "rounding changes, not counted: 1 of model.onnx" in fas(run.path, "--samples", 40).stdout


def test_a_folder_for_triton(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run, repository = make_run(), tmp_path / "repository"
    repository.mkdir()
    assert_refused(fas(run.path, "--format", "triton", "-o", repository), "is a folder: name a new one")
    result = fas(run.path, "--format", "triton", "--samples", 8, "-o", repository / "face")
    assert result.exit_code == 0, result.stderr
    assert str(repository / "face" / "1" / "model.onnx") in result.stdout
    assert ModelFile(repository / "face" / "1" / "model.onnx").card.modalities == run.recipe.modalities
    stored = json.loads((repository / "face.verification.json").read_text())
    assert stored["max_difference"] <= 1e-4
    again = fas(run.path, "--format", "triton", "--samples", 8, "-o", repository / "other.v2", "--int8")
    assert again.exit_code == 0, again.stderr
    assert 'name: "other.v2"' in (repository / "other.v2" / "config.pbtxt").read_text()


def test_int8_is_held_to_its_error_rate(make_run: Callable[..., Run]) -> None:
    run = make_run()
    assert fas(run.path, "--int8", "--calibration", 16, "--set", "acer_loss=1").exit_code == 0
    stored = json.loads((run.path / "model.int8.onnx.verification.json").read_text())
    assert stored["calibrated on"] == 16
    assert abs(stored["acer_after"] - stored["acer_before"]) <= 1
    assert_refused(
        fas(run.path, "--int8", "-q", "--set", "tolerance=1e-9"),
        "model.int8.onnx",
        "more than the 1e-09 allowed",
    )


def test_pruned(make_run: Callable[..., Run]) -> None:
    run = make_run("feathernet_b", side=32, modalities=("rgb",))
    flags = ("--samples", 8, "--calibration", 8, "--set", "acer_loss=1")
    assert fas(run.path, "--pruned", "--form", "pruned-int8", *flags).exit_code == 0
    for form in ("pruned", "pruned-int8"):
        stored = json.loads((run.path / f"model.{form}.onnx.verification.json").read_text())
        left, whole = map(int, stored["hidden channels"].split(" of "))
        assert 0 < left < whole
        assert ("int8 layers" in stored) == (form == "pruned-int8")


@pytest.mark.long
def test_recovered(make_run: Callable[..., Run], data: Path) -> None:
    """By the run's own training data, which has to be there."""
    for number in range(40):
        image = data / f"train/{'live' if number % 2 else 'attack/print'}/rgb/more-{number}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(image), np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8))
    run = make_run("feathernet_b", side=32, modalities=("rgb",))
    flags = ("--form", "pruned", "--recover", 1, "--samples", 8, "--set", "acer_loss=1")
    assert fas(run.path, *flags).exit_code == 0
    stored = json.loads((run.path / "model.pruned.onnx.verification.json").read_text())
    assert stored["epochs of recovery"] == "1"
    assert ModelFile(run.path / "model.pruned.onnx").card.recipe["train"]["seed"] == run.recipe.train.seed

    moved = data.rename(data.with_name("moved"))
    refused = fas(run.path, *flags, "--data", f"folder:{moved}", "-q")
    assert_refused(refused, "model.pruned.onnx: not written", "its training data is needed to recover")


def test_nothing_to_prune(make_run: Callable[..., Run]) -> None:
    run = make_run()
    assert_refused(fas(run.path, "--pruned", "-q"), "model.pruned.onnx: not written", "no hidden channels")


def test_a_graph_that_decides_worse_is_not_left(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(threshold="fixed:0.5")
    monkeypatch.setattr(ScoreTable, "rates", property(lambda scores: Rates(scores.scores)))
    result = fas(run.path, "--fp16", "-q")
    assert_refused(result, "model.fp16.onnx: not written: ACER on 40 samples of dev", "than the 0.2 points")
    assert not list(run.path.glob("model*"))


class Rates:
    """Error rates that grow with every table asked for."""

    has_both_classes, worse = True, 0.0

    def __init__(self, scores: Any) -> None:
        self.given = float(scores.sum())

    def apcer(self, threshold: float) -> float:
        Rates.worse += 0.1
        return Rates.worse

    bpcer = apcer


def test_what_could_not_be_verified_is_said(make_run: Callable[..., Run], data: Path) -> None:
    run = make_run()
    (data / "dev").rename(data / "test")
    result = fas(run.path, "--samples", 8)
    assert result.exit_code == 0
    assert "not verified: ACER on dev: the data has no dev split, only test" in result.stderr
    stored = json.loads((run.path / "model.onnx.verification.json").read_text())
    assert stored["acer_after"] is None
    assert stored["changed"] == 0


def test_forms_that_are_slower_than_fp32_are_named(tmp_path: Path) -> None:
    def write(latencies: dict[str, float], name: str = "onnx") -> list[tuple[ExportPlan, Exported]]:
        exporter = registry().find(Exporter, name)
        assert isinstance(exporter, Exporter)
        plans = [
            ExportPlan(exporter, exporter.options(form=form), tmp_path / f"{form}{exporter.suffix}")
            for form in latencies
        ]
        return [
            (plan, Exported(plan.destination, Verification(1, "dev", 0.0, 0.0, latency=latencies[plan.form])))
            for plan in plans
        ]

    onnx = write({"fp32": 4.0, "fp16": 6.0, "int8": 5.0, "pruned": 2.0})
    assert list(describe_slow_forms([*onnx, *write({"fp32": 9.0, "int8": 3.0}, "openvino")])) == [
        f"{slow} x the time of fp32.onnx here: the fastest form is pruned (pruned.onnx, in 0.50 x)"
        for slow in ("fp16.onnx takes 1.50", "int8.onnx takes 1.25")
    ]
    (line,) = describe_slow_forms(write({"fp32": 4.0, "int8": 5.0}))
    assert line.endswith("the fastest form is fp32 (fp32.onnx)")
    assert not list(describe_slow_forms(write({"fp32": 4.0, "int8": 4.1})))
    assert not list(describe_slow_forms(write({"int8": 5.0})))


def test_formats_are_listed() -> None:
    result = fas("--list")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert ".xml, .bin" in rows["openvino"]
    assert "fp32, fp16, int8, pruned, pruned-int8" in rows["onnx"]
    listed = json.loads(fas("--list", "--json").stdout)
    by_name = {item["name"]: item for item in listed}
    assert {"files": [".pt2"], "forms": ["fp32"]}.items() <= by_name["torch"].items()
    assert "a folder" in rows["triton"]
    assert by_name["triton"]["files"] == by_name["web"]["files"] == []


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--format", "torch", "--int8"], ["torch is written in fp32 only, not in int8"]),
        (["--format", "onnx,torch", "-o", "m.onnx"], ["2 files are to be written: name their folder"]),
        (["--fp16", "--set", "form=int8"], ["--set form=int8 and --form fp16 say different things"]),
        (["--form", "fp16,int4"], ["--form: no form 'int4'", "fp32, fp16, int8, pruned, pruned-int8"]),
        (["--format", "torch", "--form", "fp16"], ["torch is written in fp32 only, not in fp16"]),
        (["--int8", "--recover", "1"], ["--recover trains pruned forms: add --pruned"]),
        (["--format", "torch", "--recover", "1"], ["--recover: torch has no such option"]),
        (["--format", "onxx"], ["exporter 'onxx'", "did you mean 'onnx'"]),
        (["--set", "opst=20"], ["exporter onnx: opst: unknown key (did you mean 'opset'?)"]),
        (["--set", "opset=10"], ["opset: must be >= 11, the first whose Clip and Resize"]),
        (["--set", "opset"], ["must read KEY=VALUE"]),
        (["-o", "model.bin"], ["model.bin", "named *.onnx"]),
        (["-o", "."], ["is a folder"]),
    ],
)
def test_flags_that_cannot_be_used(
    make_run: Callable[..., Run], arguments: list[str], parts: list[str]
) -> None:
    run = make_run()
    assert_refused(fas(run.path, *arguments), *parts)
    assert not list(run.path.glob("*.onnx"))


def test_folder_that_is_no_run(plugins: Registry, tmp_path: Path) -> None:
    assert_refused(fas(tmp_path), str(tmp_path), "not a run folder")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None if name == "onnxscript" else name)
    assert_refused(fas(tmp_path), "needs onnxscript: pip install 'fas-core[train]'")


def test_weights_that_are_not_finite_are_refused(
    fas: Callable[..., Result], trained: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(trained, tmp_path / "run")
    (path,) = (tmp_path / "run").glob("best*.safetensors")
    weights = load_file(path)
    name = next(name for name, value in weights.items() if value.is_floating_point())
    weights[name] = weights[name] * float("nan")
    save_file(weights, path)
    result = fas("export", tmp_path / "run", "-o", tmp_path / "m.onnx")
    assert result.exit_code == 2
    assert f"best weights: weights that are not finite numbers: {name}" in result.stderr
    assert not (tmp_path / "m.onnx").exists()
