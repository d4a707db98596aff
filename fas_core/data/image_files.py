"""The image files of a data set, each read once: digest and shape, or what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from attrs import evolve, frozen

from fas_core.console import console
from fas_core.data.decoder_messages import capture_damage, describe_damage
from fas_core.data.images import decode, read_bytes
from fas_core.data.parallel import ordered
from fas_core.data.remote_files import reading_threads
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_core.urls import Location, locate

CHUNK = 64
"""Images between two updates of the progress bar."""


@frozen
class ImageFile:
    """An image file: the digest of its bytes and its shape (H, W, 3), or why it could not be read."""

    path: Location
    digest: str = ""
    shape: tuple[int, ...] = ()
    problem: str = ""


Files = Mapping[Location, ImageFile]


def read_files(splits: Mapping[str, SampleTable], workers: int) -> dict[Location, ImageFile]:
    """Read every image file of some splits once, with a progress bar, by so many threads or more."""
    paths = list(dict.fromkeys(path for samples in splits.values() for _, path in list_images(samples)))
    threads = max((reading_threads(samples, workers) for samples in splits.values()), default=workers)
    files: dict[Location, ImageFile] = {}
    with console.progress("reading images", len(paths), "images") as bar:
        for start in range(0, len(paths), CHUNK):
            chunk = paths[start : start + CHUNK]
            with capture_damage() as messages:
                files |= zip(chunk, ordered(_read_file, chunk, threads), strict=True)
            for path in chunk if messages else ():  # which of them it is, one alone tells
                if not files[path].problem:
                    files[path] = evolve(files[path], problem=describe_damage(path))
            bar.advance(len(chunk))
    return files


def _read_file(path: Location) -> ImageFile:
    try:
        data = read_bytes(path)
        shape = decode(data, path).shape
    except DataError as error:
        return ImageFile(path, problem=error.message)
    return ImageFile(path, hashlib.blake2b(data, digest_size=16).hexdigest(), shape)


def list_images(samples: SampleTable) -> Iterator[tuple[str, Location]]:
    """Yield (sample id, path or URL) of every image in the table."""
    ids = samples.column("id")
    for modality in samples.modalities:
        for name, path in zip(ids, samples.column(modality), strict=True):
            if path is not None:
                yield name, locate(samples.root, path)
