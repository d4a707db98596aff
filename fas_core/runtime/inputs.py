"""What `fas predict` is given, as shots: files, folders, manifests, videos and cameras.

Images that differ only in the modality that their paths name (`x_rgb.jpg` and `x_depth.png`, or
`rgb/x.jpg` and `depth/x.png`) are one shot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from fas_core.data.images import Box, Image
from fas_core.data.modality_names import MODALITIES, split_modality
from fas_core.data.text_lists import is_image, is_video
from fas_core.data.video import frames
from fas_core.errors import DataError

CAMERA = "camera:"
NO_FILE = "no such file"
MANIFESTS = (".csv", ".parquet")


@frozen(eq=False)
class Shot:
    """What is scored: one moment, with an image of each modality.

    Args:
        name: what it is called: its first image's path; of a video the path and the frame's number.
        images: `{modality: path or pixels}`; the first is the one that faces are found in.
        place: where its annotated copy belongs, relative.
        box: the face, where that is known: x, y, w, h in pixels of the first image.
        reason: why there is nothing to score.
    """

    name: str
    images: Mapping[str, Path | Image]
    place: str
    box: Box | None = None
    reason: str = ""


@frozen
class Reel:
    """A video or a camera: shots that come one after the other and are counted when they have come.

    Args:
        name: as the user calls it.
        source: the file, or the camera's number.
        modality: what its frames are.
        place: the folder of annotated frames, relative.
        every: each n-th frame is scored.
        limit: at most that many.
    """

    name: str
    source: Path | int
    modality: str
    place: str
    every: int
    limit: int | None

    def shots(self) -> Iterator[Shot]:
        """Its frames; of one that cannot be read, a shot that says why."""
        try:
            for number, image in frames(self.source, self.every, self.limit):
                yield Shot(f"{self.name}:{number}", {self.modality: image}, f"{self.place}/{number:04}.jpg")
        except DataError as error:
            yield Shot(self.name, {}, self.place, reason=error.message)


Found = Shot | Reel


def total(found: Iterable[Found]) -> int | None:
    """How many shots there are; None where a video or a camera is among them."""
    items = list(found)
    return None if any(isinstance(item, Reel) for item in items) else len(items)


def shots(found: Iterable[Found]) -> Iterator[Shot]:
    """All of them, each video being read when its turn comes."""
    for item in found:
        if isinstance(item, Reel):
            yield from item.shots()
        else:
            yield item


@frozen
class Finder:
    """Finds the shots that arguments name.

    Args:
        modalities: what the model takes.
        every: of videos and cameras, each n-th frame is scored.
        frames: at most that many of each; None for all of a video and one of a camera.
    """

    modalities: Sequence[str]
    every: int = 1
    frames: int | None = None

    def find(self, texts: Iterable[str]) -> Iterator[Found]:
        """What the arguments name, folders by name; single image files come last, grouped as a folder's.

        A file that cannot be read is found all the same: its reason comes when it is read.

        Raises:
            DataError: a folder holds nothing, a camera has no number, or a manifest is none.
        """
        files: list[tuple[Path, str]] = []
        for text in texts:
            path = Path(text).expanduser()
            if text.startswith(CAMERA):
                yield self._camera(text)
            elif path.is_dir():
                yield from self._folder(path)
            elif path.suffix.lower() in MANIFESTS and path.is_file():
                yield from _manifest(path)
            elif is_video(path.name):
                yield self._video(path, path.stem)
            elif not path.exists():
                yield Shot(str(path), {}, path.name, reason=NO_FILE)
            else:
                root = path.parent.parent if path.parent.name else path.parent
                files.append((root, path.relative_to(root).as_posix()))
        yield from self._images(files)

    def _camera(self, text: str) -> Reel:
        number = text.removeprefix(CAMERA)
        if not number.isdecimal():
            raise DataError(f"{text}: give the camera's number, e.g. camera:0")
        return Reel(text, int(number), self._usual, f"camera-{number}", self.every, self.frames or 1)

    def _video(self, path: Path, place: str) -> Found:
        if not path.is_file():
            return Shot(str(path), {}, place, reason=NO_FILE)
        modality, _ = split_modality(path.name, self.modalities)
        return Reel(str(path), path, modality or self._usual, place, self.every, self.frames)

    def _folder(self, folder: Path) -> Iterator[Found]:
        files = sorted(path for path in folder.rglob("*") if is_image(path.name) or is_video(path.name))
        if not files:
            raise DataError(f"{folder}: no images or videos in this folder")
        images = [path for path in files if is_image(path.name)]
        yield from self._images((folder, path.relative_to(folder).as_posix()) for path in images)
        for path in files:
            if is_video(path.name):
                yield self._video(path, path.relative_to(folder).with_suffix("").as_posix())

    def _images(self, files: Iterable[tuple[Path, str]]) -> Iterator[Shot]:
        """Image files, each as a root and the path below it, in which its modality may be named."""
        known = tuple(dict.fromkeys((*MODALITIES, *self.modalities)))
        groups: dict[tuple[Path, str], dict[str, str]] = {}
        for root, path in files:
            modality, rest = split_modality(path, known)
            modality = modality or self._usual
            if modality in groups.get((root, rest), ()):  # x.jpg beside x.png: two shots
                rest = path
            groups.setdefault((root, rest), {})[modality] = path
        for (root, _), group in groups.items():
            images = {name: root / group[name] for name in known if name in group}
            first = next(iter(images))
            yield Shot(str(images[first]), images, group[first])

    @property
    def _usual(self) -> str:
        """What an image is whose name does not say."""
        return "rgb" if "rgb" in self.modalities else self.modalities[0]


def _manifest(path: Path) -> Iterator[Shot]:
    from fas_core.data.open import open_dataset
    from fas_core.registry import registry

    reader = open_dataset(str(path), None, registry())
    for split in reader.splits():
        samples = reader.samples(split)
        for row, name in enumerate(samples.column("id")):
            given = [modality for modality in samples.modalities if samples.has(row, modality)]
            images = {modality: samples.path(row, modality) for modality in given}
            box, first = samples.box(row), samples.modalities[0]
            lost = box is not None and first not in images
            reason = f"its box is in pixels of its {first!r} image, which it lacks" if lost else ""
            yield Shot(name, images, f"{name}.jpg" if not is_image(name) else name, box, reason)
