"""The pages of the reference: each thing that the code has is on the page that is made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import attrs
import click
import pytest
from click.testing import CliRunner
from fixtures.code_blocks import ROOT
from generate import write_pages
from generate.commands import list_parameters, load_commands
from generate.python_api import VALUES, list_grouped
from generate.recipe import list_keys

import fas_core
from fas_core.card import Card
from fas_core.cli import main
from fas_core.config.load import load_recipe
from fas_core.descriptors import KINDS, RecipeFile
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import COLUMNS
from fas_core.registry import registry
from fas_core.remembered_kinds import Command
from fas_core.scores.table import SCHEMA


@pytest.fixture(scope="module")
def generated() -> Mapping[str, str]:
    return write_pages()


def test_every_command_and_option_has_its_entry(generated: Mapping[str, str]) -> None:
    def check(command: click.Command, context: click.Context, page: str) -> None:
        for parameter in list_parameters(command, context):
            for name in parameter.opts if isinstance(parameter, click.Option) else ():
                is_there = re.search(rf"^`(.*[ ,])?{name}\b", page, re.MULTILINE)
                assert is_there, f"{context.command_path} {name}"
        if isinstance(command, click.Group):
            for name, child in load_commands(command, context):
                assert f" {context.command_path} {name}\n" in page
                check(child, click.Context(child, info_name=name, parent=context), page)

    root = click.Context(main, info_name="fas")
    names = [name for name, _ in load_commands(main, root)]
    assert {"train", "eval", "score", "serve", "data"} <= set(names)
    for name, command in load_commands(main, root):
        page = generated[f"reference/commands/{name}.md"]
        assert f"](../commands/{name}.md)" in generated["reference/commands/index.md"]
        check(command, click.Context(command, info_name=name, parent=root), page)


def test_every_key_of_a_recipe_has_its_entry(generated: Mapping[str, str]) -> None:
    page = generated["reference/recipe.md"]
    keys = list_keys()
    assert {"train.lr", "model.patches.grid", "augment.flip", "threshold"} <= set(keys)
    for key in keys:
        facts, _, meaning = page.partition(f"\n`{key}`\n:   ")[2].partition("\n\n    ")
        assert "\n" not in facts, f"{key}: its class says nothing of it"
        assert meaning
    assert "`train.lr`\n:   float; default `0.01`; &gt; 0; &lt; inf.\n\n    Learning rate" in page
    recipe = attrs.asdict(load_recipe("quickstart", registry()), recurse=False)
    assert set(recipe) <= set(keys)


def test_every_component_has_its_entry(generated: Mapping[str, str]) -> None:
    page = generated["reference/components.md"]
    for kind, descriptor in KINDS.items():
        if descriptor is Command:
            continue
        section = page.partition(f"\n## Kind: {kind}\n")[2].partition("\n## ")[0]
        for item in registry().all(descriptor):
            if item.provider is None or not item.provider.is_core:
                continue
            term = f"\n`{item.name}`\n:   " if isinstance(item, RecipeFile) else f"\n### `{item.name}`\n"
            assert term in section
            options = () if isinstance(item, RecipeFile) else attrs.fields(item.options)
            entry = section.partition(term)[2].partition("\n### ")[0]
            assert all(f"`{option.name}`\n:   " in entry for option in options)


def test_the_python_page_has_every_exported_name(generated: Mapping[str, str]) -> None:
    homes = re.findall(r"^::: (\S+)\.(\w+)$", generated["reference/python.md"], re.MULTILINE)
    assert sorted(name for _, name in homes) == sorted(set(fas_core.__all__) - VALUES)
    assert list_grouped() <= set(fas_core.__all__)
    for module, name in homes:
        assert getattr(fas_core, name).__module__ == module


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", "nowhere"),
        ("train", "--set", "train.lr"),
        ("train", "--name", ""),
        ("submit", "a.csv", "--format", "nobody", "-o", "b"),
    ],
)
def test_messages_are_found_in_the_list(arguments: tuple[str, ...], generated: Mapping[str, str]) -> None:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 2
    message = result.stderr.splitlines()[-1].removeprefix("error: ")
    page = generated["reference/messages.md"].replace("\\", "").replace("&lt;", "<").replace("&gt;", ">")
    texts = [line[2:] for line in page.splitlines() if line.startswith("- ")]
    shapes = [".*".join(map(re.escape, text.split("…"))) for text in texts if len(text.strip("… :")) > 9]
    assert any(re.fullmatch(shape, message) for shape in shapes), message


def test_the_page_of_files_has_every_column_and_key() -> None:
    page = (ROOT / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
    for column in (*COLUMNS, *SCHEMA.names):
        assert f"`{column}`" in page
    card = page.partition("**The card**")[2].partition("\n\n")[0]
    model_input = ModelInput(("rgb",), 64, 64)
    for key in json.loads(Card(model_input, None).to_json()):
        assert f"`{key}`" in card
