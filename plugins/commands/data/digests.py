"""`fas data check --write-digests` and `--verify`: recognise files of a data set that have changed."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from fas_core.config.load import parse_sets
from fas_core.data.digest_list import (
    digest_list_path,
    find_changes,
    list_folder,
    read_digests,
    write_digests,
)
from fas_core.data.image_files import list_images
from fas_core.data.open import open_choice, resolve_dataset
from fas_core.errors import DataError, format_list
from fas_core.registry import registry
from fas_core.urls import Url


@frozen
class Verification:
    """Number of listed files, and a line for each that has changed."""

    files: int
    problems: list[str]


def write_dataset_digests(dataset: str, sets: tuple[str, ...], workers: int) -> tuple[Path, int]:
    """List the digests of all files of a folder, or of a manifest and its images; return list and number.

    Raises:
        FasError: the data set or one of its files cannot be read, or the list cannot be written.
    """
    root = find_root(dataset, sets)
    paths = list_folder(root) if root.is_dir() else [root, *_list_manifest(dataset, sets)]
    file = digest_list_path(root)
    return file, write_digests(file, paths, workers)


def verify_digests(dataset: str, sets: tuple[str, ...], workers: int) -> Verification:
    """Compare a data set's files with their digests.

    Raises:
        DataError: there is no list of digests, or it is damaged.
    """
    file = digest_list_path(find_root(dataset, sets))
    if not file.is_file():
        raise DataError(
            f"{file}: no such list of digests: write it by `fas data check {dataset} --write-digests`"
        )
    return Verification(len(read_digests(file)), find_changes(file, workers))


def find_root(dataset: str, sets: tuple[str, ...]) -> Path:
    """Return the folder or manifest of a data set; raises as `resolve_dataset`."""
    choice = resolve_dataset(dataset, parse_sets(sets), registry())
    if choice.root is not None:
        return choice.root
    reader = open_choice(choice, registry(), make=False)
    root = reader.samples(reader.splits()[0]).root
    assert isinstance(root, Path)  # of a data set that makes its own data
    return root


def _list_manifest(dataset: str, sets: tuple[str, ...]) -> list[Path]:
    reader = open_choice(resolve_dataset(dataset, parse_sets(sets), registry()), registry())
    locations = [path for split in reader.splits() for _, path in list_images(reader.samples(split))]
    if urls := [str(url) for url in locations if isinstance(url, Url)]:
        raise DataError(
            f"{dataset}: digests are of files on this machine, and {len(urls)} images are URLs "
            f"({format_list(urls, 1)}): the checksums of their storage are for that"
        )
    return [path for path in locations if isinstance(path, Path)]
