"""Other people's plugins, pip-installed beside the wheel into a fresh virtual environment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fixtures.documented import write_first_plugin
from fixtures.examples import EXAMPLES, copy_examples

PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "2.5"
dependencies = ["{requires}"]

[project.entry-points.fas]
{plugin} = "{module}"

[tool.setuptools]
py-modules = ["{module}"]
"""
LOSSES = """
from fas_core import Loss, hookimpl

@hookimpl
def fas_losses():
    {body}
"""
TROUBLE = {
    "no-import": "import a_module_that_nobody_has",
    "no-hook": LOSSES.format(body="raise RuntimeError('the licence server is down')"),
    "too-new": LOSSES.format(body="yield Loss(name='newer', summary='', target='too_new:Newer')"),
    "other-focal": LOSSES.format(body="yield Loss(name='focal', summary='', target='other_focal:Focal')"),
}
REQUIRES = {"too-new": "fas-core>=99"}
QUICK = ("fas-example-plugin", "fas-minifasnet")
"""Examples whose own tests are not left to `pytest -m long`."""


def project(folder: Path, name: str, code: str) -> Path:
    """The smallest distribution with a plugin."""
    path, module = folder / name, name.replace("-", "_")
    path.mkdir()
    requires = REQUIRES.get(name, "fas-core")
    text = PROJECT.format(name=name, requires=requires, plugin=module, module=module)
    (path / "pyproject.toml").write_text(text)
    (path / f"{module}.py").write_text(code)
    return path


@pytest.fixture(scope="module")
def environment(
    new_environment: Callable[[Path], Any],
    distribution: Any,
    repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """The wheel, our examples, the plugin of the documentation, and four that cause trouble."""
    made, sources = (
        new_environment(tmp_path_factory.mktemp("environment")),
        tmp_path_factory.mktemp("sources"),
    )
    page = tmp_path_factory.mktemp("documented")
    write_first_plugin(page)
    trouble = [project(sources, name, code) for name, code in TROUBLE.items()]
    made.install(distribution.wheel, *copy_examples(sources), page, *trouble)
    return made


@pytest.fixture(scope="module")
def listing(environment: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(environment.fas("plugins", "list", "--json").stdout)
    return found


def test_fas_runs_from_the_wheel(environment: Any, repository: Path) -> None:
    code = "import fas_core, fas_plugins, fas_configs; print(fas_core.__file__, fas_plugins.__file__)"
    places = environment.run(environment.python, "-c", code).stdout.split()
    assert all(place.startswith(str(environment.path)) for place in places)


def test_plugins_are_listed_with_what_they_provide(listing: dict[str, Any]) -> None:
    rows = {(row["distribution"], row["kind"], row["name"]): row for row in listing["plugins"]}
    for key in (
        ("fas-example-plugin", "loss", "poly1"),
        ("fas-example-plugin", "metric", "brier"),
        ("fas-minifasnet", "backbone", "minifasnet_v2"),
        ("fas-minifasnet", "backbone", "minifasnet_v1se"),
        ("acme-fas", "metric", "gap"),
        ("fas-core", "loss", "focal"),
        ("other-focal", "loss", "focal"),
    ):
        assert rows[key]["status"] == "active"
    assert rows["fas-example-plugin", "loss", "poly1"]["version"] == "1.0"
    assert rows["fas-example-plugin", "loss", "poly1"]["source"].endswith("(arXiv 2204.12511)")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no-import", "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("no-hook", "RuntimeError: the licence server is down"),
        ("too-new", "PluginError: asks for fas-core>=99, and this is "),
    ],
)
def test_what_cannot_be_used_is_listed_as_failed(listing: dict[str, Any], name: str, error: str) -> None:
    (row,) = [row for row in listing["plugins"] if row["distribution"] == name]
    assert (row["kind"], row["status"], row["version"]) == ("plugin", "failed", "2.5")
    assert row["error"].startswith(error)


def test_people_see_the_failures_too(environment: Any) -> None:
    done = environment.fas("plugins", "list")
    assert re.search(r"loss +poly1 +fas-example-plugin 1\.0 +active", done.stdout)
    assert "warning: plugin 'no_hook' of no-hook 2.5 failed: RuntimeError: the licence" in done.stderr
    assert "warning: loss 'focal': fas-core's own is used" in done.stderr


def test_of_a_clash_ours_is_used_and_a_qualified_name_picks_theirs(
    environment: Any, listing: dict[str, Any]
) -> None:
    done = environment.fas("config", "show", "--json", "--set", "loss.name=focal")
    assert json.loads(done.stdout)["loss"]["name"] == "focal"
    warning = (
        "loss 'focal': fas-core's own is used, not that of plugin 'other_focal' of other-focal 2.5: "
        "write other-focal:focal for it"
    )
    assert done.stderr == f"warning: {warning}\n"
    assert listing["clashes"] == [warning]
    done = environment.fas("config", "show", "--json", "--set", "loss=other-focal:focal")
    assert json.loads(done.stdout)["loss"] == {"name": "other-focal:focal"}
    disabled = environment.fas("config", "show", "--json", FAS_DISABLE_PLUGINS="other-focal")
    assert disabled.stderr == ""


def test_training_by_name(environment: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(14)
    for split in ("train", "dev", "test"):
        for kind, level in (("live", 170), ("attack/print", 80)):
            folder = tmp_path / "faces" / split / kind
            folder.mkdir(parents=True)
            for number in range(6):
                image = rng.normal(level, 20, (48, 48, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{number}.png"), image)
    recipe = {
        "data": {"name": "folder", "root": str(tmp_path / "faces")},
        "modalities": ["rgb"],
        "model": {"backbone": "feathernet_a", "fusion": "single", "input_size": 64},
        "loss": {"name": "poly1", "epsilon": 2.5},
        "metrics": ["acc", "brier", "gap"],
        "train": {"epochs": 1, "batch_size": 4, "workers": 0, "device": "cpu"},
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    runs = tmp_path / "runs"
    done = environment.fas("train", tmp_path / "recipe.yaml", "--runs", runs, "--json")
    assert "Traceback" not in done.stderr
    figures = json.loads(done.stdout)["splits"]["test"]["metrics"]
    assert 0 <= figures["brier"] <= 1
    assert -1 <= figures["gap"] <= 1
    again = environment.fas("eval", runs / "recipe", "--json")
    assert json.loads(again.stdout)["metrics"] == figures
    disabled = ("--disable-plugin", "fas-example-plugin")
    without = environment.fas(*disabled, "eval", runs / "recipe", "--json")
    needs = "needs fas-example-plugin 1.0: it is disabled (--disable-plugin, FAS_DISABLE_PLUGINS)"
    assert json.loads(without.stdout)["metrics"] == figures | {"brier": None}
    assert f"warning: metric 'brier': {needs}" in without.stderr
    without = environment.fas(*disabled, "train", "--resume", runs / "recipe", "--epochs", 2, expected=2)
    assert f"loss 'poly1': {needs}" in without.stderr


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, id=path.name, marks=[] if path.name in QUICK else [pytest.mark.long])
        for path in EXAMPLES
    ],
)
def test_an_example_s_own_tests_pass(environment: Any, example: Path) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", environment.path, "-W", "error"]
    done = environment.run(environment.python, "-m", "pytest", *options, example / "tests")
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE)
