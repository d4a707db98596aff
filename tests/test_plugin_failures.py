"""What plugins of other people do wrong, as the command line shows it: one line that names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.recipes import plain_recipe
from fixtures.strangers import Here, Site, hooks

from fas_core.registry import registry
from fas_core.runs.card import build_card
from fas_core.runs.run import Run
from fas_core.runtime.model_file import ModelFile

METRIC = 'Metric(name="gap", summary="Gap", target="bk_x:gap")'
GAP = "def gap(options, scores, threshold):\n    return {'gap': 1 / 0}\n"
LOSS = 'Loss(name="hinge", summary="Hinge", target="bk_x:Hinge")'
HINGE = """
import torch
class Hinge(torch.nn.Module):
    def __init__(self, options, model):
        super().__init__()
    def forward(self, outputs, batch):
        return [][0]
"""
BACKBONE = 'Backbone(name="tiny", summary="Tiny", target="bk_x:Tiny", input_size=32)'
TINY = """
import torch
class Tiny(torch.nn.Module):
    num_features, embedding_dim, num_logits, reduction = 4, 4, 2, 32
    def __init__(self, options, in_channels=3, input_size=32, until="logits", num_classes=2):
        super().__init__()
        self.features = torch.nn.Conv2d(in_channels, 4, 32, 32)
        self.head = torch.nn.Linear(4, num_classes)
    def forward_features(self, x):
        return self.features(x)
    def forward_embedding(self, x):
        return x.mean((2, 3))
    def forward_head(self, x):
        return self.head(x)
"""
DATASET = 'Dataset(name="lab", summary="Lab", target="bk_x:Lab", makes=True)'
LAB = """
class Lab:
    overlaps = notes = ()
    def __init__(self, options, root):
        pass
    def prepare(self):
        pass
    def splits(self):
        return ("train",)
    def samples(self, split):
        raise LookupError("the list is torn")
"""
EXPORTER = 'Exporter(name="tflite", summary="TFLite", target="bk_x:export", suffix=".tflite")'
EXPORT = """
def export(options, model, samples, destination, card, verify):
    raise OSError("the licence is over")
"""
COMMAND = 'Command(name="upload", summary="Send", target="bk_x:upload")'
UPLOAD = "import click\n@click.command()\ndef upload():\n    {}[3]\n"


def install(here: Here, code: str, **components: str) -> Path:
    """Install `bk-x` 0.1 with these components and their code."""
    return here.install("bk-x", hooks(**components) + code, version="0.1")


@pytest.fixture
def recipe(training_faces: Path, tmp_path: Path) -> Callable[..., Path]:
    """`recipe(loss="hinge")`: a recipe file of one short epoch, beside the folder of its runs."""

    def write(**changes: Any) -> Path:
        tree = plain_recipe(training_faces, epochs=1) | {"metrics": ["acc"]} | changes
        (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tree))
        return tmp_path / "tiny.yaml"

    return write


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def test_a_command_that_raises_is_one_line_and_with_verbose_a_traceback(here: Here) -> None:
    file = install(here, UPLOAD, commands=COMMAND)
    done = here.fas("upload", expected=2)
    line = file.read_text().splitlines().index("    {}[3]") + 1
    assert done.stderr == f"error: command 'upload' of bk-x 0.1 failed: KeyError: 3 ({file}:{line})\n"
    done = here.fas("--verbose", "upload", expected=2)
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert "    {}[3]" in done.stderr
    assert last_line(done.stderr).startswith("error: command 'upload' of bk-x 0.1 failed: KeyError: 3")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def upload(): pass", "command 'upload' of bk-x 0.1: bk_x:upload is no click command: decorate it"),
        ("upload = 3", "command 'upload' of bk-x 0.1: bk_x:upload cannot be called: 3"),
        (
            "",
            "command 'upload' of bk-x 0.1: loading bk_x:upload failed: AttributeError: module",
        ),
        (
            "import click\nfrom fas_core import FasError\n"
            "@click.command()\ndef upload(): raise FasError('no licence')",
            "no licence",
        ),
        ("import click\n@click.command()\ndef upload(): raise click.ClickException('a\\nb')", "a b"),
    ],
)
def test_a_command_that_is_none_or_that_ends_with_an_error_of_its_own(
    here: Here, code: str, message: str
) -> None:
    install(here, code, commands=COMMAND)
    done = here.fas("upload", expected=1 if "ClickException" in code else 2)
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_a_command_may_exit_as_it_likes(here: Here) -> None:
    install(here, "import click, sys\n@click.command()\ndef upload(): sys.exit(7)", commands=COMMAND)
    assert here.fas("upload", expected=7).stderr == ""


@pytest.mark.parametrize(
    ("components", "code", "changes", "message"),
    [
        (
            {"losses": LOSS},
            HINGE,
            {"loss": "hinge"},
            "loss 'hinge' of bk-x 0.1 failed: IndexError: ",
        ),
        (
            {"losses": LOSS},
            "class Hinge:\n    def __init__(self): pass\n",
            {"loss": "hinge"},
            "loss 'hinge' of bk-x 0.1 failed: TypeError: Hinge.__init__() got an unexpected",
        ),
        (
            {"backbones": BACKBONE},
            TINY.replace("super().__init__()", "super().__init__(); int('x')"),
            {"model": {"backbone": "tiny", "fusion": "single", "input_size": 32}},
            "backbone 'tiny' of bk-x 0.1 failed: ValueError: invalid literal",
        ),
        (
            {"backbones": BACKBONE},
            TINY.replace("reduction = 4, 4, 2, 32", "other = 4, 4, 2, 32"),
            {"model": {"backbone": "tiny", "fusion": "single", "input_size": 32}},
            "backbone 'tiny' of bk-x 0.1 failed: AttributeError: 'Tiny' object has no attribute 'reduction'",
        ),
        (
            {"backbones": BACKBONE},
            TINY.replace("return x.mean((2, 3))", "return x.mean((7, 8))"),
            {"model": {"backbone": "tiny", "fusion": "single", "input_size": 32}},
            "backbone 'tiny' of bk-x 0.1 failed: IndexError: Dimension out of range",
        ),
        (
            {"datasets": DATASET},
            LAB,
            {"data": "lab"},
            "dataset 'lab' of bk-x 0.1 failed: LookupError: the list is torn",
        ),
        (
            {"datasets": DATASET},
            LAB.replace("    def prepare(self):\n        pass\n", ""),
            {"data": "lab"},
            "dataset 'lab' of bk-x 0.1 failed: AttributeError: 'Lab' object has no attribute 'prepare'",
        ),
        (
            {"losses": LOSS},
            HINGE.replace("return [][0]", "raise SystemExit(0)"),
            {"loss": "hinge"},
            "loss 'hinge' of bk-x 0.1 failed: SystemExit: 0",
        ),
    ],
    ids=["loss", "loss signature", "build", "attribute", "forward", "samples", "prepare", "exit"],
)
def test_what_fails_in_training_is_named(
    here: Here,
    recipe: Callable[..., Path],
    components: dict[str, str],
    code: str,
    changes: dict[str, Any],
    message: str,
    tmp_path: Path,
) -> None:
    install(here, code, **components)
    done = here.fas("train", recipe(**changes), "--runs", tmp_path, expected=2)
    assert last_line(done.stderr).startswith(f"error: {message}")
    assert "Traceback" not in done.stderr


def test_an_exporter_that_fails_is_named(here: Here, trained: Path, tmp_path: Path) -> None:
    file = install(here, EXPORT, exporters=EXPORTER)
    arguments = ("--format", "tflite", "-o", tmp_path / "model.tflite", "--verbose")
    done = here.fas("export", trained, *arguments, expected=2)
    line = len(file.read_text().splitlines())
    failure = f"exporter 'tflite' of bk-x 0.1 failed: OSError: the licence is over ({file}:{line})"
    assert f"error: {tmp_path / 'model.tflite'}: not written: {failure}" in done.stderr
    assert "Traceback" in done.stderr


EXPORT_UNREAD = """
from fas_core import Exported
from fas_core.models.model import scorer
def export(options, model, samples, destination, card, verify):
    destination.write_text(card.to_json())
    return Exported(destination, verify(scorer(model), tolerance=1e-4, acer_loss=0.002))
"""


def test_a_file_that_no_runtime_opens_is_verified_and_said_to_be_none_for_fas(
    here: Here, trained: Path, tmp_path: Path
) -> None:
    install(here, EXPORT_UNREAD, exporters=EXPORTER)
    model = tmp_path / "model.tflite"
    done = here.fas("export", trained, "--format", "tflite", "-o", model)
    message = "no installed runtime opens .tflite files: fas predict, eval and serve cannot run it"
    assert f"warning: {model}: {message}" in done.stderr
    assert (tmp_path / "model.tflite.verification.json").is_file()
    assert f"fas predict {model}" not in done.stdout
    refused = here.fas("predict", model, tmp_path, expected=2).stderr
    assert "model.tflite: " in refused
    assert refused.count("\n") == 1


def test_options_that_raise_are_named(here: Here) -> None:
    code = (
        "from attrs import field, frozen\n"
        "def check(*_): 1 / 0\n"
        "@frozen\nclass Options:\n    margin: float = field(default=1.0, validator=check)\n"
    )
    loss = 'Loss(name="hinge", summary="", target="bk_x:Hinge", options=Options)'
    here.install("bk-x", code + hooks(losses=loss), version="0.1")
    done = here.fas("config", "show", "--set", "loss={name: hinge, margin: 2}", expected=2)
    assert done.stderr.startswith(
        "error: loss 'hinge' of bk-x 0.1 failed: ZeroDivisionError: division by zero"
    )


def test_ctrl_c_in_use_stays_ctrl_c(here: Here, recipe: Callable[..., Path], tmp_path: Path) -> None:
    install(here, HINGE.replace("return [][0]", "raise KeyboardInterrupt"), losses=LOSS)
    done = here.fas("train", recipe(loss="hinge"), "--runs", tmp_path, expected=130)
    assert last_line(done.stderr) == "error: interrupted"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (GAP, "metric 'gap' of bk-x 0.1 failed: ZeroDivisionError: division by zero"),
        ("", "metric 'gap' of bk-x 0.1: loading bk_x:gap failed: AttributeError"),
        ("def gap(scores): return {}", "metric 'gap' of bk-x 0.1 failed: TypeError: gap() got"),
    ],
)
def test_a_metric_that_fails_costs_neither_the_run_nor_its_results(
    here: Here, recipe: Callable[..., Path], tmp_path: Path, code: str, reason: str
) -> None:
    install(here, code, metrics=METRIC)
    done = here.fas("train", recipe(metrics=["acc", "gap"]), "--runs", tmp_path, "--json")
    result = json.loads(done.stdout)["splits"]["test"]
    assert result["metrics"]["gap"] is None
    assert 0 <= result["metrics"]["acc"] <= 1
    assert any(note.startswith(reason) for note in result["notes"])
    assert f"warning: {reason}" in done.stderr
    assert done.stderr.count("warning: metric 'gap'") == 1
    again = json.loads(here.fas("eval", tmp_path / "tiny", "--json").stdout)
    assert again["metrics"]["gap"] is None


def test_a_run_outlives_the_plugins_of_its_metric_and_loss(
    here: Here, recipe: Callable[..., Path], tmp_path: Path
) -> None:
    hinge = "import torch\nclass Hinge(torch.nn.Module):\n    def __init__(self, options, model):\n"
    hinge += "        super().__init__()\n"
    hinge += "    def forward(self, outputs, batch):\n"
    hinge += "        return torch.nn.functional.cross_entropy(outputs.logits, batch.label)\n"
    gap = "def gap(options, scores, threshold):\n    return {'gap': 0.5}\n"
    install(here, gap + hinge, metrics=METRIC, losses=LOSS)
    run, model = tmp_path / "tiny", tmp_path / "model.onnx"
    path = recipe(metrics=["acc", "gap"], loss="hinge", threshold="fixed:0.5")
    here.fas("train", path, "--runs", tmp_path, "--epochs", "6", "-q")
    here.fas("export", run, "--format", "onnx", "-o", model, "-q", "--keep-data-root")
    needed = {"bk-x": {"version": "0.1", "components": ["loss hinge", "metric gap"]}}
    assert json.loads((run / "environment.json").read_text())["plugins"] == needed
    assert ModelFile(model).card.plugins == needed
    assert json.loads(here.fas("eval", model, "--json").stdout)["metrics"]["gap"] == 0.5
    here.uninstall("bk-x")
    needs = "metric 'gap': needs bk-x 0.1: pip install bk-x"
    for target in (run, model):
        done = here.fas("eval", target, "--json")
        result = json.loads(done.stdout)
        assert result["metrics"]["gap"] is None
        assert needs in result["notes"]
        assert f"warning: {needs}\n" in done.stderr
    assert needs in here.fas("report", run, "-o", tmp_path / "report.html").stderr
    assert build_card(Run.open(run, registry())).plugins == needed
    done = here.fas("train", "--resume", run, "--epochs", "7", expected=2)
    assert done.stderr == "error: loss 'hinge': needs bk-x 0.1: pip install bk-x\n"


def test_a_recipe_with_a_metric_that_is_not_installed_trains_and_resumes(
    here: Here, recipe: Callable[..., Path], tmp_path: Path
) -> None:
    path = recipe(metrics=["acc", {"name": "gap", "scale": 2}])
    done = here.fas("train", path, "--runs", tmp_path, "--json")
    assert json.loads(done.stdout)["splits"]["test"]["metrics"]["gap"] is None
    assert "warning: metric 'gap': no plugin provides it" in done.stderr
    done = here.fas("train", "--resume", tmp_path / "tiny", "--epochs", "2", "--json")
    assert json.loads(done.stdout)["splits"]["test"]["metrics"]["gap"] is None
    assert "{name: gap, scale: 2}" in (tmp_path / "tiny/recipe.yaml").read_text()


def test_prints_of_a_plugin_in_use_do_not_reach_stdout(
    site: Site, recipe: Callable[..., Path], tmp_path: Path
) -> None:
    """In the processes that read images, too."""
    forward = "    def forward_features(self, x):\n"
    code = "print('imported')\n" + TINY.replace(forward, f"{forward}        print('forward')\n")
    site.install("bk-x", hooks(backbones=BACKBONE) + code)
    model = {"backbone": "bk-x:tiny", "fusion": "single", "input_size": 32}
    path = recipe(model=model, train={"epochs": 1, "batch_size": 8, "workers": 1, "device": "cpu"})
    done = site.fas("train", path, "--runs", tmp_path, "--json")
    assert 0 <= json.loads(done.stdout)["splits"]["test"]["metrics"]["acc"] <= 1
    assert {"imported", "forward"} <= set(done.stderr.splitlines())


def test_a_plugin_with_our_names_breaks_neither_train_nor_the_quickstart(here: Here) -> None:
    train = "import click\n@click.command()\ndef train():\n    click.echo('their train')\n"
    here.install(
        "acme-fas",
        hooks(
            backbones='Backbone(name="feathernet_b", summary="", target="acme_fas:Theirs", input_size=64)',
            commands='Command(name="train", summary="", target="acme_fas:train")',
        )
        + train,
    )
    done = here.fas("train", "--help")
    assert "Train RECIPE" in done.stdout
    done = here.fas("config", "show", "quickstart")
    assert "feathernet_b" in done.stdout
    assert "write acme-fas:feathernet_b for it" in done.stderr
    assert here.fas("acme-fas:train").stdout == "their train\n"
    shown = here.fas("config", "show", "--set", "model.backbone=acme-fas:feathernet_b")
    assert "backbone: {name: 'acme-fas:feathernet_b'}" in shown.stdout
    assert shown.stderr == ""
    rows = json.loads(here.fas("models", "list", "--kind", "backbone", "--json").stdout)["models"]
    named = {row["name"]: row for row in rows}
    assert named["feathernet_b"]["params"] > 0
    assert named["acme-fas:feathernet_b"]["params"] is None
    assert named["acme-fas:feathernet_b"]["error"].startswith(
        "backbone 'feathernet_b' of acme-fas 1.5: loading acme_fas:Theirs failed: AttributeError"
    )
