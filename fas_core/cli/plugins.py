"""`fas plugins`: the installed plugins, their components, and why plugins failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_any
from fas_core.cli.command import option
from fas_core.cli.group import CommandGroup
from fas_core.cli.options import PATH, output_options
from fas_core.cli.plugin_checks import checks_to_json, show_checks
from fas_core.cli.plugin_costs import costs_to_json, measure_costs, show_costs
from fas_core.cli.plugin_details import describe_component, describe_plugin, show_details
from fas_core.component import Component
from fas_core.console import console
from fas_core.descriptors import KINDS, Augmentation, Dataset, Metric, Schedule, Tracker
from fas_core.errors import PluginError, require, suggest_closest
from fas_core.package_files import Catalogue, RecipeFile
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.remembered_kinds import Command, Detector
from fas_core.text_table import Table

WITHOUT_TORCH = (
    *(Augmentation, Catalogue, Command, Dataset, Detector),
    *(Metric, RecipeFile, Schedule, Tracker),
)
"""Kinds of components that are checked without the extra `train`."""


@click.group(
    cls=CommandGroup,
    prefix="plugins ",
    examples="""
        # everything that is installed
        fas plugins list
        # a component: its code, options, and a recipe that has it
        fas plugins show focal
        # a plugin to start from
        fas plugins new soft-hinge --kind loss
    """,
)
def command() -> None:
    """List the installed plugins, show one of them, and check them."""


@command.command(
    "list",
    examples="""
        # all components
        fas plugins list
        # the backbones
        fas plugins list --kind backbone
        # which plugin makes `fas` slow
        fas plugins list --timing
    """,
)
@option(
    "--kind", type=click.Choice(list(KINDS)), panel=panels.OUTPUT, help="List components of this kind only."
)
@option(
    "--timing",
    is_flag=True,
    panel=panels.OUTPUT,
    help="Add how long each plugin takes to import, and what it imports.",
)
@output_options
def list_plugins(kind: str | None, timing: bool) -> None:
    """List every component, every plugin with event hooks, and every plugin that is disabled or failed.

    With --verbose the traceback of each failure follows.
    """
    plugins = registry()
    costs = measure_costs(plugins.records) if timing else ()
    rows = [row for record in plugins.records for row in _build_rows(record) if kind in (None, row["kind"])]
    rows.sort(key=lambda row: (row["kind"] or "~", row["name"]))
    if console.json:
        timings = {"timing": costs_to_json(costs)} if timing else {}
        console.document({"plugins": rows, "clashes": plugins.clashes(), **timings})
        return
    title = f"{sum(row['kind'] in KINDS for row in rows)} components"
    columns = ("kind", "name", "from", "status", "summary")
    cells = [(row["kind"], row["name"], _distribution(row), row["status"], row["summary"]) for row in rows]
    console.table(Table(title, columns, cells, left=range(5)))
    for record in plugins.records:
        if record.status == "failed":
            console.warn(f"{record} failed: {record.failure}")
            if console.verbose and record.traceback:
                console.warn(record.traceback)
    for line in plugins.clashes():
        console.warn(line)
    if timing:
        show_costs(costs)


@command.command(
    examples="""
        # all components of all plugins
        fas plugins check
        # one component
        fas plugins check loss:focal
        # a data set, on its files
        fas plugins check dataset:casia_surf --root CASIA-SURF
    """,
)
@click.argument("name", required=False, shell_complete=complete_any)
@option("--root", type=PATH, metavar="FOLDER", panel=panels.DATA, help="Data to check a data set on.")
@output_options
@click.pass_context
def check(ctx: click.Context, name: str | None, root: Path | None) -> None:
    """Check the plugin NAME, or the component NAME, by the rules of its contract; without NAME all of them.

    NAME is as for `fas plugins show`. Components are checked with their default options; a data set only with
    --root. A failure says which rule is broken and why the rule exists. Exit code: 1 if a check fails.
    """
    records, components = _find(registry(), name)
    if any(not isinstance(item, WITHOUT_TORCH) for item in components):
        require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.testing.installed import check_all

    failed = [record for record in records if record.status == "failed"]
    checked = check_all(components, root)
    if console.json:
        console.document(checks_to_json(failed, checked))
    else:
        show_checks(failed, checked)
    ctx.exit(1 if failed or any(item.broken for item in checked) else 0)


@command.command(
    examples="""
        # a component
        fas plugins show feathernet_b
        # a component whose name has another kind too
        fas plugins show fusion:cdcn
        # a plugin: its components, and why it fails
        fas plugins show fas-core:losses
    """,
)
@click.argument("name", shell_complete=complete_any)
@output_options
def show(name: str) -> None:
    """Show the plugin NAME, or every component NAME: its code, its options, why it fails.

    NAME is that of an entry point, a distribution, distribution:entry-point, or a component; kind:name tells
    components of one name apart.
    """
    plugins = registry()
    records = _find_records(plugins, name)
    components = _find_components(plugins, name)
    if not records and not components:
        raise _unknown(plugins, name)
    documents = [describe_plugin(record, plugins) for record in records]
    documents += [describe_component(item, plugins) for item in components]
    if console.json:
        console.document({"plugins": documents})
        return
    for document in documents:
        show_details(document)


def _find_components(plugins: Registry, name: str) -> list[Component]:
    """Return the components with a name: bare, qualified by their distribution, or by their kind."""
    components = [item for record in plugins.records for item in record.components]
    return [
        item for item in components if name in (item.name, item.qualified_name, f"{item.kind}:{item.name}")
    ]


def _find_records(plugins: Registry, name: str) -> list[PluginRecord]:
    return [item for item in plugins.records if name in (item.name, item.distribution, item.token)]


def _find(plugins: Registry, name: str | None) -> tuple[list[PluginRecord], list[Component]]:
    """Return the plugins of a name (all without one), and their components or those of the name.

    Raises:
        PluginError: nothing has the name.
    """
    records = list(plugins.records) if name is None else _find_records(plugins, name)
    components = [item for record in records for item in record.components]
    if name is not None:
        components += [item for item in _find_components(plugins, name) if item not in components]
    if name is not None and not records and not components:
        raise _unknown(plugins, name)
    return records, components


def _unknown(plugins: Registry, name: str) -> PluginError:
    known = {text for record in plugins.records for text in (record.name, record.distribution)}
    known |= {item.name for record in plugins.records for item in record.components}
    return PluginError(f"{name}: neither a plugin nor a component{suggest_closest(name, known)}")


def _build_rows(record: PluginRecord) -> list[dict[str, Any]]:
    """Return a row for each component, or for a plugin that is not active one row of kind `plugin`."""
    distribution = {"distribution": record.distribution, "version": record.version, "plugin": record.name}
    if record.status != "active":
        plugin = {"kind": "plugin", "name": record.name, **distribution, "status": record.status}
        error, location = record.error or None, record.location or None
        return [{**plugin, "summary": record.error, "source": "", "error": error, "location": location}]
    rows = [(item.kind, item.name, item.summary, item.source) for item in record.components]
    if record.events:
        rows.append(("events", record.name, f"Is called for {', '.join(record.events)}", ""))
    return [
        {"kind": kind, "name": name, **distribution, "status": record.status}
        | {"summary": summary, "source": source, "error": None, "location": None}
        for kind, name, summary, source in rows
    ]


def _distribution(row: dict[str, Any]) -> str:
    return f"{row['distribution']} {row['version']}"
