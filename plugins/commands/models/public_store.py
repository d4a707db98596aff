"""The public models of this user: what was fetched, and which licences were accepted."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from fas_core.atomic import replacing, temporary_folder, write_text
from fas_core.config.load import to_yaml
from fas_core.console import console
from fas_core.data.fetched_models import ENTRY_FILE, fetched_models_folder, public_model_folder
from fas_core.data.images import resize_square, write_image
from fas_core.errors import FasError
from fas_core.names import escape_controls
from fas_core.registry import registry
from fas_core.runtime.public_model import PublicFile, PublicModel
from fas_core.yaml_files import read_yaml
from fas_plugins.commands.models.download import fetch_file

LICENCES = "licences.yaml"
"""File in the folder of models: the licences that this user accepted, by the model's name."""

COMPARED = 16
"""Photos of each class on which an exported file is compared with the checkpoint's network."""

UNSTATED = "NOASSERTION"
"""Licence of a model whose source states none, as SPDX writes it."""


def is_stored(model: PublicModel) -> bool:
    """Return whether a model's files are stored and complete."""
    folder = public_model_folder(model.name)
    return (folder / ENTRY_FILE).is_file() and all(_is_complete(folder, file) for file in model.files)


def _is_complete(folder: Path, file: PublicFile) -> bool:
    path = folder / file.stored_name
    if file.import_options:  # the stored file was made from the published one
        return path.is_file()
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def store(model: PublicModel, origin: str | None) -> Path:
    """Fetch a model's files into its folder, which appears complete or not at all; return the folder.

    Raises:
        FasError: a file cannot be fetched or is not the catalogue's, a plugin for it is missing, or the
            folder cannot be written.
    """
    check_plugin(model)
    folder = public_model_folder(model.name)
    with replacing(folder) as temporary:
        temporary.mkdir()
        for file in model.files:
            if not file.import_options:
                fetch_file(model, file, origin, temporary / file.stored_name)
                continue
            with temporary_folder() as work:
                checkpoint = work / file.name
                fetch_file(model, file, origin, checkpoint)
                convert_checkpoint(model, file, checkpoint, temporary / file.stored_name)
        write_text(temporary / ENTRY_FILE, to_yaml(model.to_plain()))
        shutil.rmtree(folder, ignore_errors=True)  # an incomplete or older one
    return folder


def remove_folder(model_folder: Path) -> None:
    """Remove a fetched model; raise FasError if that is not possible."""
    try:
        shutil.rmtree(model_folder)
    except OSError as error:
        raise FasError(f"{model_folder}: cannot be removed: {error.strerror}") from error


def check_plugin(model: PublicModel) -> None:
    """Raise FasError if a model's checkpoints need a plugin that is not installed."""
    installed = {record.distribution for record in registry().records if record.status == "active"}
    if model.plugin and model.plugin not in installed:
        raise FasError(
            f"{model.name}: its files are PyTorch checkpoints, for which the plugin {model.plugin} has the "
            f"networks: pip install 'fas-core[train]' {model.plugin}"
        )


def convert_checkpoint(model: PublicModel, file: PublicFile, checkpoint: Path, destination: Path) -> None:
    """Make a published checkpoint an ONNX file by `fas import` and `fas export`.

    Raises:
        FasError: one of them fails.
    """
    run = checkpoint.parent / "run"
    data = write_comparison_photos(checkpoint.parent / "photos", file.terms.card.input.photos)
    _run_fas(model, "import", checkpoint, *file.import_options, "-o", run)
    _run_fas(model, "export", run, "--format", "onnx", "-o", destination, "--data", data)


def write_comparison_photos(folder: Path, names: Sequence[str]) -> Path:
    """Write photos of coloured noise and a manifest with boxes; return it.

    `fas export` compares the ONNX file with the network on them; any pixels do.
    """
    generator = np.random.default_rng(0)
    folder.mkdir()
    rows = ["id,label,split,box," + ",".join(names)]
    for number in range(2 * COMPARED):
        pixels = generator.integers(0, 256, (8, 8, 3), np.uint8)
        write_image(folder / f"{number}.png", resize_square(pixels, 128))
        files = ",".join([f"{number}.png"] * len(names))
        rows.append(f"{number},{number % 2},dev,48 48 32 32,{files}")
    write_text(folder / "photos.csv", "\n".join(rows) + "\n")
    return folder / "photos.csv"


def _run_fas(model: PublicModel, *arguments: object) -> None:
    command = [sys.executable, "-m", "fas_core", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        reason = (lines or done.stderr.splitlines() or ["no message"])[-1].removeprefix("error: ")
        raise FasError(f"{model.name}: fas {arguments[0]} failed: {reason}")


def describe_licence(model: PublicModel) -> str:
    """Return a model's licence in one line."""
    name = "no licence is stated" if model.licence == UNSTATED else f"licence {model.licence}"
    return f"{model.name}: {name}: {model.licence_url}"


def ensure_accepted(model: PublicModel, accepted: bool) -> None:
    """Show a model's licence and make sure that the user has accepted it, now or before.

    Args:
        accepted: whether the user has said so by an option; else a terminal asks.

    Raises:
        FasError: the user has not accepted it, or cannot be asked.
    """
    path = fetched_models_folder() / LICENCES
    former = _read_licences(path)
    if former.get(model.name) == model.licence:
        return
    lines = (describe_licence(model), f"source: {model.source}", f"trained on {model.training_data}")
    for line in filter(None, (*lines, model.notes)):
        console.info(line)
    if not accepted and not _ask(model):
        raise FasError(f"{describe_licence(model)}: not accepted, so nothing was fetched")
    write_text(path, to_yaml({**former, model.name: model.licence}))


def _ask(model: PublicModel) -> bool:
    if console.json or not is_terminal():
        raise FasError(f"{describe_licence(model)}: accept it by --accept-licence")
    return click.confirm(escape_controls(f"{describe_licence(model)}: fetch it on these terms?"), err=True)


def is_terminal() -> bool:
    """Return whether a user can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _read_licences(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    tree = read_yaml(path)
    if not isinstance(tree, dict) or not all(isinstance(item, str) for pair in tree.items() for item in pair):
        raise FasError(f"{path}: must be a mapping of models to licences: remove it to accept them again")
    return tree
