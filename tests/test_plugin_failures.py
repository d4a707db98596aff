"""What plugins of other people do wrong, as the command line shows it: one line that names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.recipes import plain_recipe
from fixtures.strangers import Site, hooks

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


def install(site: Site, code: str, **components: str) -> Path:
    """Install `bk-x` 0.1 with these components and their code."""
    return site.install("bk-x", hooks(**components) + code)


@pytest.fixture
def recipe(training_faces: Path, tmp_path: Path) -> Callable[..., Path]:
    """`recipe(loss="hinge")`: a recipe file of one short epoch."""

    def write(**changes: Any) -> Path:
        tree = plain_recipe(training_faces, epochs=1) | {"metrics": ["acc"]} | changes
        (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tree))
        return tmp_path / "tiny.yaml"

    return write


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def test_a_command_that_raises_is_one_line_and_with_verbose_a_traceback(site: Site) -> None:
    file = install(site, UPLOAD, commands=COMMAND)
    done = site.fas("upload", expected=2)
    line = file.read_text().splitlines().index("    {}[3]") + 1
    assert done.stderr == f"error: command 'upload' of bk-x 0.1 failed: KeyError: 3 ({file}:{line})\n"
    done = site.fas("--verbose", "upload", expected=2)
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
    site: Site, code: str, message: str
) -> None:
    install(site, code, commands=COMMAND)
    done = site.fas("upload", expected=None)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_a_command_may_exit_as_it_likes(site: Site) -> None:
    install(site, "import click, sys\n@click.command()\ndef upload(): sys.exit(7)", commands=COMMAND)
    assert site.fas("upload", expected=7).stderr == ""


def test_a_bug_of_fas_keeps_its_traceback(site: Site) -> None:
    code = (
        "import fas_core.config.load as load\n"
        "def broken():\n    return 1 / 0\n"
        "broken.__globals__['__name__'] = 'fas_core.config.load'\n"
        "load.shipped_recipes = broken\n"
    )
    install(site, code, metrics=METRIC)
    done = site.fas("config", "list", expected=1)
    assert "Traceback (most recent call last)" in done.stderr


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
    site: Site,
    recipe: Callable[..., Path],
    components: dict[str, str],
    code: str,
    changes: dict[str, Any],
    message: str,
) -> None:
    install(site, code, **components)
    done = site.fas("train", recipe(**changes), expected=2)
    assert last_line(done.stderr).startswith(f"error: {message}")
    assert "Traceback" not in done.stderr


def test_an_exporter_that_fails_is_named(site: Site, trained: Path) -> None:
    file = install(site, EXPORT, exporters=EXPORTER)
    arguments = ("--format", "tflite", "-o", "model.tflite", "--verbose")
    done = site.fas("export", trained, *arguments, expected=2)
    line = len(file.read_text().splitlines())
    failure = f"exporter 'tflite' of bk-x 0.1 failed: OSError: the licence is over ({file}:{line})"
    assert last_line(done.stderr) == f"error: {failure}"
    assert "Traceback" in done.stderr


def test_options_that_raise_are_named(site: Site) -> None:
    code = (
        "from attrs import field, frozen\n"
        "def check(*_): 1 / 0\n"
        "@frozen\nclass Options:\n    margin: float = field(default=1.0, validator=check)\n"
    )
    loss = 'Loss(name="hinge", summary="", target="bk_x:Hinge", options=Options)'
    site.install("bk-x", code + hooks(losses=loss))
    done = site.fas("config", "show", "--set", "loss={name: hinge, margin: 2}", expected=2)
    assert done.stderr.startswith(
        "error: loss 'hinge' of bk-x 0.1 failed: ZeroDivisionError: division by zero"
    )


def test_ctrl_c_in_use_stays_ctrl_c(site: Site, recipe: Callable[..., Path]) -> None:
    install(site, HINGE.replace("return [][0]", "raise KeyboardInterrupt"), losses=LOSS)
    done = site.fas("train", recipe(loss="hinge"), expected=130)
    assert last_line(done.stderr) == "error: interrupted"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (GAP, "metric 'gap' of bk-x 0.1 failed: ZeroDivisionError: division by zero"),
        ("", "metric 'gap' of bk-x 0.1: loading bk_x:gap failed: AttributeError"),
        ("def gap(scores): return {}", "metric 'gap' of bk-x 0.1 failed: TypeError: gap() got"),
        (
            "def gap(options, scores, threshold): return None",
            "metric 'gap' of bk-x 0.1 failed: AttributeError",
        ),
    ],
)
def test_a_metric_that_fails_costs_neither_the_run_nor_its_results(
    site: Site, recipe: Callable[..., Path], code: str, reason: str
) -> None:
    install(site, code, metrics=METRIC)
    done = site.fas("train", recipe(metrics=["acc", "gap"]), "--runs", "runs", "--json")
    result = json.loads(done.stdout)["splits"]["test"]
    assert result["metrics"]["gap"] is None
    assert 0 <= result["metrics"]["acc"] <= 1
    assert any(note.startswith(reason) for note in result["notes"])
    assert f"warning: {reason}" in done.stderr
    assert done.stderr.count("warning: metric 'gap'") == 1
    again = json.loads(site.fas("eval", "runs/tiny", "--json").stdout)
    assert again["metrics"]["gap"] is None


def test_a_run_outlives_the_plugin_of_its_metric(site: Site, recipe: Callable[..., Path]) -> None:
    code = "def gap(options, scores, threshold):\n    return {'gap': 0.5}\n"
    install(site, code, metrics=METRIC)
    path = recipe(metrics=["acc", "gap"], threshold="fixed:0.5")
    site.fas("train", path, "--runs", "runs", "--epochs", "6", "-q")
    site.fas("export", "runs/tiny", "--format", "onnx", "-o", "model.onnx", "-q")
    environment = json.loads((site.path / "runs/tiny/environment.json").read_text())
    assert environment["plugins"] == {"bk-x": {"version": "0.1", "components": ["metric gap"]}}
    (site.path / "bk_x.py").unlink()
    for file in (*(site.path / "bk-x-0.1.dist-info").iterdir(), site.path / "bk-x-0.1.dist-info"):
        file.rmdir() if file.is_dir() else file.unlink()
    needs = "metric 'gap': needs bk-x 0.1: pip install bk-x"
    for target in ("runs/tiny", "model.onnx"):
        done = site.fas("eval", target, "--json")
        result = json.loads(done.stdout)
        assert result["metrics"]["gap"] is None
        assert needs in result["notes"]
        assert f"warning: {needs}\n" in done.stderr
    assert needs in site.fas("report", "runs/tiny", "-o", "report.html").stderr
    site.fas("export", "runs/tiny", "--format", "onnx", "-o", "again.onnx", "-q")
    done = site.fas("train", "--resume", "runs/tiny", "--epochs", "7", "--json")
    assert json.loads(done.stdout)["splits"]["test"]["metrics"]["gap"] is None
    assert "gap" in (site.path / "runs/tiny/recipe.yaml").read_text()


def test_a_recipe_with_a_metric_that_is_not_installed_trains(site: Site, recipe: Callable[..., Path]) -> None:
    path = recipe(metrics=["acc", {"name": "gap", "scale": 2}])
    done = site.fas("train", path, "--runs", "runs", "--json")
    assert json.loads(done.stdout)["splits"]["test"]["metrics"]["gap"] is None
    assert "warning: metric 'gap': no plugin provides it" in done.stderr
    assert "{name: gap, scale: 2}" in (site.path / "runs/tiny/recipe.yaml").read_text()
