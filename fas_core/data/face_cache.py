"""Decoded faces of training samples on disk, so that images are decoded in the first epoch only.

A file holds the faces of one sample as they were read, before augmentation. It is named after the sample:
paths, box and modalities. Its stamp is of what the pixels depend on besides: sizes and times of the image
files, and versions of the programs. A file with another stamp, or a damaged one, is written anew, so that a
sample has one file at most. Processes map the files into memory and so share their pages.
"""

from __future__ import annotations

import hashlib
import mmap
import shutil
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from fas_core import __version__
from fas_core.atomic import make_folder, replacing
from fas_core.console import console
from fas_core.data.detectors import DEFAULTS
from fas_core.data.faces import is_face_crop
from fas_core.data.fetched_models import fetched_model
from fas_core.data.image_size import read_shape
from fas_core.data.images import Box, Image, clip_box, scale_box
from fas_core.data.reading import locate_box
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable

FORMAT = 1
"""Raised when the files, or the rules by which faces are read, change."""

HEAD = struct.Struct("<16sI")
"""The stamp, and the CRC-32 of what follows: the `SHAPE` of each face, and their pixels."""
SHAPE = struct.Struct("<II")
"""Height and width of a face in pixels."""

MEASURED_SAMPLES = 200
"""Samples, evenly spread, whose sizes tell how large the cache becomes."""


@frozen
class _Sample:
    """The images `{name: absolute path}` that a sample's faces are made from, and its box."""

    paths: Mapping[str, Path]
    box: Box | None


@frozen(eq=False)
class FaceCache:
    """A folder with the faces of a table's samples. Other tables and processes may use it, too.

    Args:
        folder: `prepare` makes it.
        samples: whose faces are read, all with these modalities.
        modalities: names of each sample's faces, in order.
        model_input: states crops, and faces are as `read_crops` reads them; None: as `read_faces` does.
    """

    folder: Path
    samples: SampleTable
    modalities: tuple[str, ...]
    model_input: ModelInput | None = None
    _is_checked: NDArray[np.bool_] = field(init=False)
    """(N,) whether this process has compared a sample's file with its CRC."""

    @_is_checked.default
    def _nothing_is_checked(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.samples), np.bool_)

    def read(self, row: int, decode: Callable[[], dict[str, Image]]) -> dict[str, Image]:
        """Return one sample's faces `{modality: (H, W, 3)}`, read-only where they come from the cache.

        `decode` reads them from the image files. Where one of these cannot be looked up it is left to it.

        Raises:
            FasError: by `decode`, or the faces cannot be written, e.g. because the disk is full.
        """
        sample = self._describe(row)
        file, stamp = self._file(sample), self._stamp(sample)
        if stamp is None:
            return decode()
        faces = _map_faces(file, stamp, self.modalities, check=not self._is_checked[row])
        if faces is None:
            faces = decode()
            if self._stamp(sample) == stamp:  # no image was replaced while it was read
                _write_faces(file, stamp, faces)
        else:
            self._is_checked[row] = True
        return faces

    def prepare(self, *, quiet: bool) -> None:
        """Make the folder; say how much of the disk the cache takes, unless `quiet`.

        Raises:
            FasError: the folder cannot be made, or the disk is too small; or an image has no size, or lies at
                a URL.
        """
        if self.samples.is_remote:
            raise ConfigError(
                "train.cache: images at URLs are cached by fsspec: leave train.cache out, and name them by "
                "simplecache:: and their URL, such as simplecache::s3://bucket/1.jpg (docs/scale.md)"
            )
        try:
            make_folder(self.folder)
            free = shutil.disk_usage(self.folder).free / 1e9
        except OSError as error:
            raise FasError(f"train.cache: {self.folder}: {error.strerror or error}") from error
        rows = np.linspace(0, len(self.samples) - 1, min(len(self.samples), MEASURED_SAMPLES)).round()
        sizes = np.array([self._measure(int(row)) for row in rows], np.float64)
        are_there = np.array([self._file(self._describe(int(row))).is_file() for row in rows])
        total, there = (
            float(values.mean()) * len(self.samples) / 1e9 for values in (sizes, sizes * are_there)
        )
        about = f"about {total:.3g} GB for {len(self.samples)} samples, of which {there:.3g} GB are there"
        if total - there > free:
            raise FasError(
                f"train.cache: {self.folder}: {about}, and {free:.3g} GB are free: free more, name a folder "
                "on another disk, or leave train.cache out"
            )
        if not quiet:
            console.info(f"cache {self.folder}: {about}; {free:.3g} GB are free")

    def _describe(self, row: int) -> _Sample:
        names, box = list(self.modalities), self.samples.box(row)
        if self.model_input is not None:
            names = [self.model_input.photo(name) for name in names]
        if box is not None:
            names.append(self.samples.modalities[0])  # the box is in its pixels
        return _Sample({name: self._path(row, name).absolute() for name in names}, box)

    def _path(self, row: int, name: str) -> Path:
        path = self.samples.path(row, name)
        assert isinstance(path, Path), "`prepare` refuses URLs"
        return path

    def _file(self, sample: _Sample) -> Path:
        paths = {name: str(path) for name, path in sample.paths.items()}
        facts = (self.modalities, paths, sample.box, self.model_input)
        name = hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
        return self.folder / name[:2] / f"{name[2:]}.faces"

    def _stamp(self, sample: _Sample) -> bytes | None:
        """Return 16 bytes that change with what the faces depend on; None where an image is not there."""
        paths = list(sample.paths.values())
        states = [_look_up(path) for path in paths]
        if None in states:
            return None
        facts: list[object] = [FORMAT, __version__, cv2.__version__, *states]
        if self.model_input is not None and sample.box is None:  # the face is detected
            facts += [is_face_crop(paths[0]), _look_up(fetched_model(DEFAULTS[0]))]
        return hashlib.sha256(repr(facts).encode()).digest()[:16]

    def _measure(self, row: int) -> int:
        """Return the bytes of a sample's file, by the headers of its images."""
        if self.model_input is not None:
            areas = [self.model_input.face_size**2] * len(self.modalities)
        else:
            headers = {name: _Header(read_shape(self._path(row, name))) for name in self.modalities}
            located = locate_box(self.samples, row, headers)
            areas = []
            for header in headers.values():
                height, width = header.shape
                box = (0.0, 0.0, width, height) if located is None else scale_box(*located, header.shape)
                left, top, right, bottom = clip_box(box, header.shape)
                areas.append((right - left) * (bottom - top))
        return HEAD.size + SHAPE.size * len(areas) + 3 * sum(areas)


@frozen
class _Header:
    shape: tuple[int, int]


def _look_up(path: Path) -> tuple[int, int] | None:
    """Return a file's size in bytes and when it was changed, in ns; None where it cannot be looked up."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _map_faces(
    file: Path, stamp: bytes, modalities: Sequence[str], *, check: bool
) -> dict[str, Image] | None:
    """Return the faces in a file; None where there is none, or it has another stamp or is damaged.

    To `check` the CRC costs about a quarter of what follows: it is done once, as files are replaced whole.
    """
    try:
        with file.open("rb") as stream:
            data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except (FileNotFoundError, ValueError):  # the latter: it is empty
        return None
    except OSError as error:
        raise DataError(f"train.cache: {file}: cannot be read: {error.strerror}: remove it") from error
    start = HEAD.size + SHAPE.size * len(modalities)
    if len(data) < start:
        return None
    written, checksum = HEAD.unpack_from(data)
    if written != stamp or (check and zlib.crc32(data[HEAD.size :]) != checksum):
        return None
    shapes = list(SHAPE.iter_unpack(data[HEAD.size : start]))
    counts = [height * width * 3 for height, width in shapes]
    if start + sum(counts) != len(data):
        return None
    faces = {}
    for name, (height, width), count in zip(modalities, shapes, counts, strict=True):
        faces[name] = np.frombuffer(data, np.uint8, count, start).reshape(height, width, 3)
        start += count
    return faces


def _write_faces(file: Path, stamp: bytes, faces: Mapping[str, Image]) -> None:
    """Write a file of faces atomically; a power cut may damage it, which its CRC shows."""
    shapes = b"".join(SHAPE.pack(*face.shape[:2]) for face in faces.values())
    content: list[bytes | memoryview] = [
        shapes,
        *(np.ascontiguousarray(face).data for face in faces.values()),
    ]
    checksum = 0
    for block in content:
        checksum = zlib.crc32(block, checksum)
    try:
        with replacing(file, durable=False) as temporary, temporary.open("wb") as stream:
            stream.writelines([HEAD.pack(stamp, checksum), *content])
    except FasError as error:
        raise FasError(f"train.cache: {error}: free space there, or leave train.cache out") from error
