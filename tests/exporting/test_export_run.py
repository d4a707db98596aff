"""Which files an export writes, under which names, and what it refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from fas_core.card import Card
from fas_core.config.recipe import Recipe
from fas_core.contracts import Exported, Verification
from fas_core.descriptors import Exporter
from fas_core.errors import ConfigError, FasError, PluginError
from fas_core.exporting.export_run import ExportPlan, export_run, open_run, plan_exports
from fas_core.records.model_input import ModelInput
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.runs.groups import FoldRuns
from fas_core.runs.run_sets import ProtocolRuns

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


def test_a_form_of_a_plugins_exporter_is_asked_for_by_name() -> None:
    """Beside the forms of others; it is none where no selected format has it."""

    @frozen(kw_only=True)
    class Options:
        form: str = "fp32"

    ternary = Exporter(
        name="acme",
        summary="for tests",
        target="acme:export",
        options=Options,
        suffix=".acme",
        forms=("fp32", "ternary"),
    )
    acme = PluginRecord("acme", "acme-fas", "1.0", "active", components=(ternary,))
    found = Registry((*registry().records, acme))
    plans = plan_exports(["acme", "onnx"], ("ternary", "int8"), (), None, RUN, found)
    assert paths(plans) == ["runs/one/model.ternary.acme", "runs/one/model.int8.onnx"]
    with pytest.raises(ConfigError, match=r"no form 'ternary': the forms are fp32, .*, pruned-int8$"):
        plan("onnx", forms=("ternary",))


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
    with pytest.raises(ConfigError, match="--set form=fp16 and --form int8 say different things"):
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
    ProtocolRuns(tmp_path / "set", recipe, registry(), "cefa-4", ("4@1", "4@2")).create()
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


def test_the_flag_and_the_forms_of_a_web_page_are_its_own(tmp_path: Path) -> None:
    def plan_web(name: str, *forms: str, **shared: str) -> Any:
        return plan_exports([name], forms, (), None, tmp_path, registry(), shared)

    with pytest.raises(ConfigError, match="--web-runtime: onnx has no such option"):
        plan_web("onnx", web_runtime="package")
    with pytest.raises(ConfigError, match=r"web is written in fp32, int8, .* only, not in fp16"):
        plan_web("web", "fp16")
    plans = plan_web("web", "fp32", "int8", web_runtime="package")
    assert [item.destination.name for item in plans] == ["model", "model.int8"]
    assert {item.options.web_runtime for item in plans} == {"package"}
