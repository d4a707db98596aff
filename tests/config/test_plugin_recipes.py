"""Recipes that a plugin of another distribution ships."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixtures.strangers import Here

from fas_core import ConfigError, FasError, PluginError, RecipeFile
from fas_core.config.load import load_recipe
from fas_core.registry import registry
from fas_core.testing import ContractError, check_component, check_recipe

CODE = """
from fas_core import RecipeFile, hookimpl
@hookimpl
def fas_recipes():
    return RecipeFile.list_package("{module}.recipes")
"""


def install(here: Here, name: str, **recipes: str) -> Path:
    """Install a distribution whose package `recipes` has these files; return the package."""
    module = name.replace("-", "_")
    folder = here.site.path / module / "recipes"
    folder.mkdir(parents=True)
    for stem, text in recipes.items():
        (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
    single = here.site.install(name, CODE.format(module=module), version="1.5")
    shutil.move(single, folder.parent / "__init__.py")
    here.refresh()
    return folder


@pytest.fixture
def acme(here: Here) -> Path:
    lab = "# The lab's setting, café.\nextends: base.yaml\ntrain: {epochs: 7}\n"
    return install(here, "acme-fas", lab=lab, base="extends: quickstart\ntrain: {lr: 0.5, epochs: 3}\n")


def test_they_run_by_name_and_extend_files_beside_them_and_recipes_by_name(
    acme: Path, tmp_path: Path
) -> None:
    recipe = load_recipe("lab", registry())
    assert (recipe.train.epochs, recipe.train.lr, recipe.data.name) == (7, 0.5, "synthetic")
    assert recipe == load_recipe("acme-fas:lab", registry())
    (tmp_path / "mine.yaml").write_text("extends: acme-fas:lab\ntrain: {epochs: 1}\n")
    assert load_recipe(str(tmp_path / "mine.yaml"), registry()).train.lr == 0.5
    with pytest.raises(ConfigError, match=r"neither a shipped recipe nor a file \(known: base, .* lab, "):
        load_recipe("lap", registry())


def test_the_list_shows_whose_each_is(here: Here, acme: Path) -> None:
    install(here, "other-fas", lab="# Another lab's.\n", quickstart="# Not ours.\n")
    lines = here.fas("config", "list").stdout.splitlines()
    shown = {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in lines}
    assert shown["acme-fas:lab"] == "acme-fas 1.5    The lab's setting, café."
    assert shown["other-fas:lab"] == "other-fas 1.5   Another lab's."
    assert shown["base"] == "acme-fas 1.5"
    assert shown["quickstart"].startswith("fas-core ")
    assert shown["other-fas:quickstart"].startswith("other-fas 1.5")


def test_a_name_of_two_plugins_is_refused_and_ours_is_kept(here: Here, acme: Path) -> None:
    install(here, "other-fas", lab="train: {lr: 0.25}\n", quickstart="train: {lr: 0.25}\n")
    refused = here.fas("config", "show", "lab", expected=2).stderr
    assert refused.startswith("error: recipe 'lab' is provided by plugin 'acme_fas' of acme-fas 1.5 and by ")
    assert "pick one, acme-fas:lab or other-fas:lab" in refused
    assert refused.count("\n") == 1
    ours = here.fas("config", "show", "quickstart")
    assert "lr: 0.25" not in ours.stdout
    assert "fas-core's own is used, not that of plugin 'other_fas'" in ours.stderr
    assert "lr: 0.25" in here.fas("config", "show", "other-fas:quickstart").stdout


def test_a_run_is_named_like_the_recipe(here: Here, acme: Path, training_faces: Path, tmp_path: Path) -> None:
    (acme / "lab.yaml").write_text(
        "modalities: [rgb]\nmodel: {backbone: feathernet_a, fusion: single, input_size: 64}\n"
        "train: {epochs: 1, batch_size: 8, workers: 0, device: cpu}\n"
    )
    data = ("--data", f"folder:{training_faces}", "--runs", tmp_path / "runs", "-q")
    here.fas("train", "acme-fas:lab", *data)
    shutil.rmtree(here.site.path)
    here.refresh()
    here.fas("eval", tmp_path / "runs" / "lab", "-q")  # a run keeps its recipe


def test_what_is_wrong_is_one_line(here: Here, acme: Path) -> None:
    (acme / "base.yaml").unlink()
    assert here.fas("config", "show", "lab", expected=2).stderr.count("\n") == 1
    (acme / "Base.yaml").write_text("{}")
    here.site.install("more-fas", CODE.format(module="acme_fas"))
    (here.site.path / "acme_fas" / "recipes" / "lab.yaml").unlink()
    here.refresh()
    message = here.fas("config", "show", "lab", expected=2).stderr
    assert "neither a shipped recipe nor a file" in message
    assert "failed: plugin 'more_fas' of more-fas 0.1" in message
    with pytest.raises(PluginError, match=r"target 'a:b/c\.yaml' must read 'package:file\.yaml'"):
        RecipeFile(name="a", summary="", target="a:b/c.yaml")
    with pytest.raises(FasError, match="recipe 'lost' failed: ModuleNotFoundError"):
        RecipeFile(name="lost", summary="", target="no_such_package:lost.yaml").load()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("train: {learning_rate: 1}\n", "unknown key"),
        ("loss: no_such_loss\n", "no plugin provides it"),
        ("metrics: [no_such_metric]\n", "no plugin provides it"),
        ("extends: nowhere\n", "neither a shipped recipe nor a file"),
        ("- 1\n", "must be a mapping"),
    ],
)
def test_the_check_finds_what_its_users_could_not_mend(acme: Path, text: str, problem: str) -> None:
    check_recipe("lab")
    check_recipe("acme-fas:lab")
    lab = registry().find(RecipeFile, "lab")
    assert check_component(lab).status == "passed"
    (acme / "base.yaml").write_text(text)
    with pytest.raises(ContractError, match=problem) as broken:
        check_recipe(lab)
    assert broken.value.rule == "valid recipe"


@pytest.mark.parametrize("recipe", registry().all(RecipeFile), ids=str)
def test_ours_pass_the_check(recipe: RecipeFile) -> None:
    check_recipe(recipe)
