"""The inputs of `fas predict`: image files, folders, manifests, videos, cameras and streams.

Images that differ only in the modality that their paths name (`x_rgb.jpg` and `x_depth.png`, or
`rgb/x.jpg` and `depth/x.png`) are one sample.

Every image of a folder is a sample: one of a format that cannot be decoded (HEIC) has its reason. Files that
are neither images nor videos are counted in a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from fas_core.console import console
from fas_core.data.file_formats import FileKind
from fas_core.data.images import Box, Image
from fas_core.data.listing import classify_file, describe_left_out, list_files
from fas_core.data.text_lists import MODALITIES, is_image, split_modality
from fas_core.errors import DataError
from fas_core.records.detected_face import DetectedFace
from fas_core.urls import Location, Url, hide_credentials
from fas_core.user_paths import expand_user

if TYPE_CHECKING:
    from fas_core.data.video import Source
    from fas_core.records.samples import SampleTable

CAMERA = "camera:"
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
NO_FILE = "no such file"
MANIFEST_SUFFIXES = (".csv", ".tsv", ".parquet")


@frozen(eq=False)
class InputSample:
    """One sample to score: an image of each modality, taken at one moment.

    Args:
        name: path of the first image; of a video its path and the frame's number.
        images: `{modality: path, URL or pixels}`; faces are detected in the first.
        copy_path: relative path of the annotated copy.
        box: x, y, w, h of the face in pixels of the first image, where it is known.
        reason: why the sample cannot be scored.
        frame: its place in a video; None for a sample of image files.
        faces: `{track: face}`, the faces of a frame by number, in pixels of its image; None where they are
            still to be detected, if at all.
    """

    name: str
    images: Mapping[str, Location | Image]
    copy_path: str
    box: Box | None = None
    reason: str = ""
    frame: Frame | None = None
    faces: Mapping[int, DetectedFace] | None = None


@frozen(eq=False)
class Frame:
    """Where in a video a sample is from.

    Args:
        video: the video, the camera or the stream.
        number: from 1; None where the video cannot be read.
        index: number of the samples of the video before this one.
        rate: frames a second of the video; 0 where that is not known.
        is_live: whether frames are dropped rather than waited for.
    """

    video: VideoInput
    number: int | None
    index: int
    rate: float = 0.0
    is_live: bool = False


@frozen
class VideoInput:
    """A video, a camera or a stream, whose samples are read one after the other and not counted before.

    Args:
        name: for outputs; of a URL without credentials.
        source: the file, the camera's number, or the URL.
        copy_path: relative folder of annotated frames.
        every: score each n-th frame.
        limit: maximum number of frames to score.
    """

    name: str
    source: Source
    modality: str
    copy_path: str
    every: int
    limit: int | None

    def samples(self) -> Iterator[InputSample]:
        """Read its frames; a video that cannot be read yields a sample with the reason."""
        from fas_core.data.video import frames  # slow to import, and images need none

        count = 0
        try:
            for item in frames(self.source, self.every, self.limit):
                path = f"{self.copy_path}/{item.number:04}.jpg"
                frame = Frame(self, item.number, count, item.rate, item.is_live)
                images = {self.modality: item.image}
                yield InputSample(f"{self.name}:{item.number}", images, path, frame=frame)
                count += 1
        except DataError as error:
            frame = Frame(self, None, count)
            yield InputSample(self.name, {}, self.copy_path, reason=error.message, frame=frame)


Input = InputSample | VideoInput


def count_samples(inputs: Sequence[Input]) -> int | None:
    """Return the number of samples; None where a video or a camera is among the inputs."""
    return None if any(isinstance(item, VideoInput) for item in inputs) else len(inputs)


def reads_urls(inputs: Iterable[Input]) -> bool:
    """Whether an image among the inputs is at a URL; videos and cameras do not count."""
    images = (image for item in inputs if isinstance(item, InputSample) for image in item.images.values())
    return any(isinstance(image, Url) for image in images)


def read_samples(inputs: Iterable[Input]) -> Iterator[InputSample]:
    """Yield all samples; each video is read when its turn comes."""
    for item in inputs:
        yield from item.samples() if isinstance(item, VideoInput) else [item]


@frozen
class InputFinder:
    """Finds the inputs that command line arguments name, for a model of these modalities.

    Of videos, cameras and streams each `every`-th frame is scored, at most `frames`; None for all of a video
    and one of a camera or stream.
    """

    modalities: Sequence[str]
    every: int = 1
    frames: int | None = None

    def find(self, arguments: Iterable[str]) -> Iterator[Input]:
        """Yield the inputs, those of folders sorted; single image files come last, grouped as in a folder.

        A missing file yields a sample with the reason.

        Raises:
            DataError: a folder has no images or videos, a camera has no number, or a manifest cannot be read.
        """
        files: list[tuple[Path, str]] = []
        for argument in arguments:
            path = expand_user(argument)
            if argument.startswith(CAMERA):
                yield self._camera(argument)
            elif URL.match(argument):
                yield self._stream(argument)
            elif path.is_dir():
                yield from self._search_folder(path)
            elif path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file():
                for samples in read_manifest(path, self.modalities):
                    yield from sample_inputs(samples)
            elif not path.exists():
                yield InputSample(str(path), {}, path.name, reason=NO_FILE)
            elif classify_file(path) is FileKind.VIDEO:
                yield self._video(path, path.stem)
            else:
                root = path.parent.parent if path.parent.name else path.parent
                files.append((root, path.relative_to(root).as_posix()))
        yield from self._group_images(files)

    def _camera(self, argument: str) -> VideoInput:
        number = argument.removeprefix(CAMERA)
        if not number.isdecimal():
            raise DataError(f"{argument}: give the camera's number, e.g. camera:0")
        path = f"camera-{number}"
        return VideoInput(argument, int(number), self._default_modality, path, self.every, self.frames or 1)

    def _stream(self, url: str) -> VideoInput:
        name = hide_credentials(url)
        path = re.sub(r"[^\w.-]+", "_", name.partition("://")[2]).strip("._") or "stream"
        return VideoInput(name, url, self._default_modality, path, self.every, self.frames or 1)

    def _video(self, path: Path, copy_path: str) -> Input:
        modality = split_modality(path.name, self.modalities)[0] or self._default_modality
        return VideoInput(str(path), path, modality, copy_path, self.every, self.frames)

    def _search_folder(self, folder: Path) -> Iterator[Input]:
        listing = list_files(folder)
        left_out = describe_left_out(listing.others)
        images = sorted((*listing.images, *listing.undecodable), key=lambda name: name.split("/"))
        if not images and not listing.videos:
            problem = f"{folder}: no images or videos in this folder"
            raise DataError(f"{problem}: {left_out}" if left_out else problem)
        if left_out:
            console.warn(f"{folder}: {left_out}")
        yield from self._group_images((folder, name) for name in images)
        for name in listing.videos:
            yield self._video(folder / name, Path(name).with_suffix("").as_posix())

    def _group_images(self, files: Iterable[tuple[Path, str]]) -> Iterator[InputSample]:
        """Group image files, each a root and a path below it, into samples by the modalities they name."""
        modalities = tuple(dict.fromkeys((*MODALITIES, *self.modalities)))
        groups: dict[tuple[Path, str], dict[str, str]] = {}
        for root, path in files:
            modality, rest = split_modality(path, modalities)
            modality = modality or self._default_modality
            if modality in groups.get((root, rest), ()):  # x.jpg beside x.png: two samples
                rest = path
            groups.setdefault((root, rest), {})[modality] = path
        for (root, _), group in groups.items():
            images = {name: root / group[name] for name in modalities if name in group}
            first = next(iter(images))
            yield InputSample(str(images[first]), images, group[first])

    @property
    def _default_modality(self) -> str:
        """The modality of an image whose path names none."""
        return "rgb" if "rgb" in self.modalities else self.modalities[0]


def read_manifest(path: Path, modalities: Sequence[str]) -> Iterator[SampleTable]:
    """Yield the samples of each split of a manifest, whose image columns may have these names, too.

    Raises:
        DataError: it cannot be read.
    """
    from fas_core.data.open import open_manifest
    from fas_core.registry import registry

    reader = open_manifest(path, (*MODALITIES, *modalities), registry())
    for split in reader.splits():
        yield reader.samples(split)


def sample_inputs(samples: SampleTable) -> Iterator[InputSample]:
    """Yield the rows of a sample table, each with the images that it has."""
    first = samples.modalities[0]
    for row, name in enumerate(samples.column("id")):
        present = [modality for modality in samples.modalities if samples.has(row, modality)]
        images = {modality: samples.path(row, modality) for modality in present}
        box, reason = samples.box(row), ""
        if box is not None and first not in images:
            reason = f"its box is in pixels of its {first!r} image, which it lacks"
        yield InputSample(name, images, name if is_image(name) else f"{name}.jpg", box, reason)
