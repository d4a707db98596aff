"""Commands that the main path does without: one folder each, `command.py` the click command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fas_core import Catalogue, Command, hookimpl

TRAIN, SHIP, DATA, INSPECT = "Train and evaluate", "Ship and run", "Data", "Inspect"
TORCH = ("torch", "accelerate", "safetensors")


def _command(name: str, panel: str, summary: str, folder: str = "", **fields: Any) -> Command:
    target = f"fas_plugins.commands.{folder or name}.command:command"
    return Command(name=name, panel=panel, summary=summary, **{"target": target} | fields)


@hookimpl
def fas_commands() -> Iterable[Command]:
    """Every command of this package; none is imported before it is called."""
    yield _command("score", TRAIN, "Evaluate any system by its file of scores.")
    yield _command(
        "report",
        TRAIN,
        "Write one HTML file about runs and score files.",
        extra="report",
        modules=("matplotlib", "jinja2"),
    )
    yield _command(
        "card",
        TRAIN,
        "Write a model card of a run.",
        target="fas_plugins.commands.report.card_command:command",
    )
    yield _command("ensemble", TRAIN, "Combine several systems into one by their scores.")
    yield _command("runs", TRAIN, "List runs; compare two of them.")
    yield _command(
        "tune",
        TRAIN,
        "Search the values of a recipe with the lowest EER on dev.",
        extra="tune",
        modules=("optuna", *TORCH),
    )
    yield _command("submit", TRAIN, "Write the file that a challenge takes.")
    yield _command(
        "import", TRAIN, "Make a run of a published checkpoint.", "importing", extra="train", modules=TORCH
    )
    yield _command(
        "serve",
        SHIP,
        "Answer over HTTP, with a page for photos and the webcam.",
        extra="serve",
        modules=("starlette", "uvicorn", "python_multipart"),
    )
    yield _command("explain", SHIP, "Draw what a model looks at: Grad-CAM and occlusion.")
    yield _command("calibrate", SHIP, "Set a model's threshold on live photos of its place.")
    yield _command("drift", SHIP, "Tell whether a deployed model's scores have shifted.")
    yield _command("data", DATA, "Make, check, measure, crop and look at data.")
    yield _command("models", INSPECT, "Fetch public models; list networks: size, cost, memory, latency.")
    yield _command(
        "config convert",
        INSPECT,
        "Write a published cfgs/*.yaml as a recipe.",
        target="fas_plugins.commands.importing.convert_command:command",
    )
    yield _command("plugins new", INSPECT, "Write a plugin to start from.", "new_plugin")


@hookimpl
def fas_public_models() -> Iterable[Catalogue]:
    yield Catalogue(
        name="public",
        summary="Public face anti-spoofing models",
        target="fas_plugins.commands.models:public_models.yaml",
    )
