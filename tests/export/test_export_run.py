"""Which files an export writes, under which names, and what it refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from fas_core.card import Card
from fas_core.config.recipe import Recipe
from fas_core.contracts import Exported, Verification
from fas_core.data.threshold_advice import ThresholdAdvice
from fas_core.errors import ConfigError, FasError, PluginError
from fas_core.export.export_run import ExportPlan, export_card, export_run, open_run, plan_exports
from fas_core.records.model_input import ModelInput
from fas_core.registry import registry
from fas_core.runs.card import build_card
from fas_core.runs.groups import FoldRuns, ProtocolRuns
from fas_core.runtime.stored_card import read_card
from fas_core.scores.thresholds import Threshold

RUN = Path("runs/one")


def plan(
    *names: str, forms: tuple[str, ...] = (), sets: tuple[str, ...] = (), output: Path | None = None
) -> list[ExportPlan]:
    return plan_exports(names, forms, sets, output, RUN, registry())


def paths(plans: list[ExportPlan]) -> list[str]:
    return [item.destination.as_posix() for item in plans]


def test_files_are_named_by_form_in_the_run_folder() -> None:
    plans = plan("onnx", forms=("int8", "fp32"))
    assert paths(plans) == ["runs/one/model.onnx", "runs/one/model.int8.onnx"]
    assert [item.form for item in plans] == ["fp32", "int8"]


def test_a_form_is_left_out_where_a_format_has_it_not() -> None:
    assert paths(plan("onnx", "openvino", forms=("fp16", "int8"))) == [
        "runs/one/model.fp16.onnx",
        "runs/one/model.int8.onnx",
        "runs/one/model.int8.xml",
    ]


def test_without_forms_the_options_have_the_form() -> None:
    assert paths(plan("onnx", "torch")) == ["runs/one/model.onnx", "runs/one/model.pt2"]
    (half,) = plan("onnx", sets=("form=fp16", "opset=19"))
    assert (half.form, half.options.opset) == ("fp16", 19)
    assert half.destination == RUN / "model.fp16.onnx"


def test_output_is_the_file_of_one_or_the_folder_of_several(tmp_path: Path) -> None:
    assert paths(plan("onnx", output=tmp_path / "a.onnx")) == [f"{tmp_path.as_posix()}/a.onnx"]
    several = plan("onnx", "torch", output=tmp_path)
    assert [item.destination for item in several] == [tmp_path / "model.onnx", tmp_path / "model.pt2"]
    assert paths(plan("triton", output=tmp_path / "repository")) == [f"{tmp_path.as_posix()}/repository"]


def test_unsuitable_outputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"is a folder: name the file, e\.g\. .*model\.onnx"):
        plan("onnx", output=tmp_path)
    with pytest.raises(FasError, match="is a folder: name a new one, which triton makes"):
        plan("triton", output=tmp_path)
    with pytest.raises(FasError, match=r"onnx writes files named \*\.onnx"):
        plan("onnx", output=tmp_path / "model.xml")
    with pytest.raises(FasError, match="2 files are to be written: name their folder"):
        plan("onnx", "torch", output=tmp_path / "model.onnx")


def test_unknown_formats_forms_and_options_are_refused() -> None:
    with pytest.raises(PluginError, match="nonsense"):
        plan("nonsense")
    with pytest.raises(ConfigError, match="torch is written in fp32 only, not in int8"):
        plan("torch", forms=("int8",))
    with pytest.raises(ConfigError, match="--set form=fp16 and --int8 say different things"):
        plan("onnx", forms=("int8",), sets=("form=fp16",))
    with pytest.raises(ConfigError, match="speed"):
        plan("onnx", sets=("speed=high",))


class StandInExporter:
    """Writes a text instead of a model."""

    def load(self) -> Any:
        def export(options: object, *, destination: Path, verify: Any, **_: Any) -> Exported:
            destination.write_text("model")
            return Exported(destination, verify(None, tolerance=None, acer_loss=0.0), facts={"opset": 18})

        return export

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.load()(*args, **kwargs)


def test_a_verification_is_written_beside_the_file(tmp_path: Path) -> None:
    verification = Verification(4, "test", 0.5, 0.25, unverified=("ACER on dev: no dev split",))
    comparison = SimpleNamespace(
        images=lambda count: {"rgb": np.zeros((count, 8, 8, 3), np.uint8)},
        card=Card(ModelInput(("rgb",), 8), None),
        verifier=lambda destination: lambda scorer, **limits: verification,
    )
    item = ExportPlan(StandInExporter(), None, tmp_path / "model.txt")  # type: ignore[arg-type]
    run: Any = SimpleNamespace(path=RUN)
    ((same, exported),) = export_run(run, "best", None, [item], comparison, 2)  # type: ignore[arg-type]
    assert same is item
    assert exported.size == 5
    document = json.loads((tmp_path / "model.txt.verification.json").read_text())
    assert (document["file"], document["size"], document["opset"]) == ("model.txt", 5, 18)
    digest = hashlib.sha256((tmp_path / "model.txt").read_bytes()).hexdigest()
    assert document["sha256"] == {"model.txt": digest}
    assert (document["samples"], document["max_difference"]) == (4, 0.5)
    assert document["unverified"] == ["ACER on dev: no dev split"]


class RefusingExporter:
    """Refuses every model, without the file's name in the message."""

    def call(self, *_: object, **__: object) -> Exported:
        raise FasError("it needs another network")


def test_a_refusal_does_not_stop_the_other_files(tmp_path: Path) -> None:
    comparison = SimpleNamespace(
        images=lambda count: {"rgb": np.zeros((count, 8, 8, 3), np.uint8)},
        card=Card(ModelInput(("rgb",), 8), None),
        verifier=lambda destination: lambda scorer, **limits: Verification(4, "dev", 0.0, 0.0),
    )
    plans = [
        ExportPlan(RefusingExporter(), None, tmp_path / "a.bin"),  # type: ignore[arg-type]
        ExportPlan(StandInExporter(), None, tmp_path / "b.txt"),  # type: ignore[arg-type]
        ExportPlan(StandInExporter(), None, tmp_path / "c.txt", FasError("no such form")),  # type: ignore[arg-type]
    ]
    run: Any = SimpleNamespace(path=RUN)
    results = [result for _, result in export_run(run, "best", None, plans, comparison, 2)]  # type: ignore[arg-type]
    assert [str(result) for result in results if isinstance(result, FasError)] == [
        f"{tmp_path / 'a.bin'}: not written: it needs another network",
        "no such form",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.txt", "b.txt.verification.json"]


def test_options_that_some_exporters_have() -> None:
    onnx, torch = plan_exports(["onnx", "torch"], (), (), None, RUN, registry(), {"opset": 12})
    assert onnx.options.opset == 12
    assert not hasattr(torch.options, "opset")
    with pytest.raises(ConfigError, match="--static-batch: torch, triton has no such option"):
        plan_exports(["torch", "triton"], (), (), None, RUN, registry(), {"static_batch": 2})


def test_a_format_without_the_form_does_not_stop_the_others() -> None:
    onnx, torch = plan("onnx", "torch", forms=("int8",))
    assert (onnx.form, onnx.refusal) == ("int8", None)
    assert "torch is written in fp32 only, not in int8" in str(torch.refusal)


def test_folders_of_runs_name_the_run_to_export(tmp_path: Path) -> None:
    recipe = Recipe()
    ProtocolRuns(tmp_path / "set", "cefa-4", ("4@1", "4@2"), recipe, registry()).create()
    with pytest.raises(
        FasError, match=r"holds a model for each sub-protocol: give one of its runs, e\.g\. .*4@1"
    ):
        open_run(tmp_path / "set", registry())
    folds = FoldRuns(tmp_path / "folds", evolve(recipe, folds="subject:2"), registry(), False, "digest")
    folds.path.mkdir()
    folds.write()
    with pytest.raises(FasError, match="folds without a final model"):
        open_run(folds.path, registry())
    with pytest.raises(FasError, match="neither a run folder nor a model file"):
        open_run(Path(__file__), registry())


def replace_card(
    monkeypatch: pytest.MonkeyPatch, recipe: Recipe, card: Card, advice: ThresholdAdvice | None
) -> Any:
    """Return a run whose card and advice are these."""
    monkeypatch.setattr("fas_core.export.export_run.build_card", lambda _: card)
    monkeypatch.setattr("fas_core.export.export_run.read_threshold_advice", lambda _: advice)
    return SimpleNamespace(path=RUN, recipe=recipe)


@pytest.mark.parametrize(
    ("weights", "source", "remains"),
    [("best", "dev", True), ("last", "dev", False), ("last", "given", True)],
)
def test_a_threshold_goes_only_with_the_weights_that_it_was_fitted_on(
    weights: Any, source: str, remains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe()
    recipe = evolve(recipe, train=evolve(recipe.train, select="best"))
    tree = {"data": {"root": None}, "model": {"pretrained": None}}
    card = Card(ModelInput(("rgb",), 8), Threshold(0.5, "eer", source), tree)
    run = replace_card(monkeypatch, recipe, card, None)
    assert export_card(run, weights) == (card if remains else evolve(card, threshold=None))


@pytest.mark.parametrize(("recommended", "warns"), [(False, True), (True, False), (None, False)])
def test_a_threshold_that_is_not_recommended_goes_with_a_warning(
    recommended: bool | None,
    warns: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advice = ThresholdAdvice(recommended, "fitted in sessions of training")
    tree = {"data": {"root": None}, "model": {"pretrained": None}}
    card = Card(ModelInput(("rgb",), 8), Threshold(0.5, "eer", "dev"), tree, threshold_note=advice.note)
    run = replace_card(monkeypatch, Recipe(), card, advice)
    exported = export_card(run, "best")
    assert exported.threshold == card.threshold
    assert read_card(exported.to_json(), "file").threshold_note == advice.note
    warning = "not recommended: fitted in sessions of training; it goes with the file nevertheless"
    assert (warning in " ".join(capsys.readouterr().err.split())) is warns


@pytest.mark.parametrize(
    ("pretrained", "exported"),
    [
        ("/home/me/w.pth", "w.pth"),
        ({"rgb": "/home/me/w.pth", "ir": "v.pth"}, {"rgb": "w.pth", "ir": "v.pth"}),
        (None, None),
    ],
)
def test_a_card_names_no_folders(pretrained: Any, exported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {
        "data": {"name": "folder", "root": "/home/me/faces"},
        "model": {"pretrained": pretrained},
        "seed": 1,
    }
    card = Card(ModelInput(("rgb",), 8), Threshold(0.5, "fixed:0.5", "given"), tree)
    run = replace_card(monkeypatch, Recipe(), card, None)
    recipe = {"data": {"name": "folder", "root": None}, "model": {"pretrained": exported}, "seed": 1}
    assert export_card(run, "best").recipe == recipe
    assert export_card(run, "best", keep_data_root=True).recipe["data"]["root"] == "/home/me/faces"


def test_a_card_has_the_reject_band_of_its_policy(trained: Path) -> None:
    run = open_run(trained, registry())
    own = export_card(run, "best").threshold
    assert own is not None
    assert own.reject is None
    card = export_card(run, "best", reject=f"{own.value - 0.1}:{own.value + 0.1}")
    assert card.threshold is not None
    assert card.threshold.reject is not None
    assert card.threshold.reject.source == "given"
    assert read_card(card.to_json(), "model.onnx").threshold == card.threshold
    trained_so = build_card(run.changed({"reject": "error:0"})).threshold
    assert trained_so is not None
    assert trained_so.reject is None or trained_so.reject.source == "dev"
    with pytest.raises(ConfigError, match="does not contain the threshold"):
        export_card(run, "best", reject="8:9")
