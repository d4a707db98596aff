"""Face detectors: each is a plugin, chosen by its name or by a model file that it takes.

Each searches copies of a photo of a few fixed sizes, so that the result does not depend on its resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from attrs import evolve, frozen

from fas_core.command_cache import command_registry
from fas_core.data.faces import is_centre_in
from fas_core.data.fetched_models import fetched_model
from fas_core.data.images import Image
from fas_core.digests import hash_file
from fas_core.errors import DataError, PluginError
from fas_core.records.detected_face import DetectedFace
from fas_core.remembered_kinds import Detector

DEFAULTS = ("centerface", "cascade")
"""Without a choice the first of these that is at hand: installing a plugin changes no crops."""

BETTER_DETECTOR = (
    "faces are detected by OpenCV's cascade, which misses some: `fas models get centerface` fetches a better "
    "detector"
)

SIDES = (480, 640, 320, 960)
"""Shorter sides in pixels of the copies that are searched in turn, until one has a face."""
MAX_ENLARGEMENT = 2.0
"""A photo is not enlarged more than this: it has no further detail."""
PADDED_SIDE, PADDING = 240, 0.5
"""Shorter side of the last copy, and the width of the grey frame around it as a fraction of its sides: a crop
that a face fills from edge to edge has no background, which detectors need."""


@frozen(eq=False)
class FaceDetector:
    """Finds the faces of a photo of any size. Threads may share it.

    Args:
        name: stored beside results.
        search: finds faces in an image of moderate size.
        has_landmarks: whether it finds landmarks too.
    """

    name: str
    search: Callable[[Image], list[DetectedFace]]
    has_landmarks: bool = True

    def __call__(self, photo: Image) -> list[DetectedFace]:
        """Return the faces of an image (H, W, 3) RGB, in its pixels, in no particular order.

        A copy whose shorter side is 480 pixels (or the photo, if it is smaller) is searched first; where it
        has no face the copies of the further `SIDES`; last a copy with a grey frame around it.
        """
        shorter = min(photo.shape[:2])
        scales = [min(SIDES[0] / shorter, 1.0)]
        scales += [side / shorter for side in SIDES[1:] if side / shorter <= MAX_ENLARGEMENT]
        for scale in dict.fromkeys(scales):
            if faces := self.search(_resize(photo, scale)):
                return [_move(face, 1 / scale) for face in faces]
        return self._search_padded(photo, min(PADDED_SIDE / shorter, 1.0))

    def _search_padded(self, photo: Image, scale: float) -> list[DetectedFace]:
        """Return the faces whose centre is in the photo, from a copy with a grey frame around it."""
        copy = _resize(photo, scale)
        rows, columns = (round(side * PADDING) for side in copy.shape[:2])
        frame = (rows, rows, columns, columns)
        padded = cv2.copyMakeBorder(copy, *frame, cv2.BORDER_CONSTANT, value=(127, 127, 127))
        faces = (_move(face, 1 / scale, -columns, -rows) for face in self.search(np.asarray(padded)))
        area = (0.0, 0.0, float(photo.shape[1]), float(photo.shape[0]))
        return [face for face in faces if is_centre_in(face.box, area)]


@frozen
class DetectorChoice:
    """A detector, and the model file that it is opened with; None for one that needs none.

    `model` is the file that was fetched, or that the user names.
    """

    component: Detector
    model: Path | None = None

    @classmethod
    def of(cls, component: Detector, file: str | None = None) -> DetectorChoice:
        """Return a detector with its model: the file that is given, or the one that is fetched.

        Raises:
            DataError: it needs a file and none is given, or takes none.
        """
        if file is not None and not component.suffixes:
            raise DataError(f"the detector {component.name} takes no model file: leave {file} out")
        if file is not None:
            return cls(component, Path(file))
        if component.fetched:
            return cls(component, fetched_model(component.fetched))
        if component.suffixes:
            example = f"{component.name}:FILE ({', '.join(component.suffixes)})"
            raise DataError(f"the detector {component.name} needs a model: give {example}")
        return cls(component)

    @property
    def is_at_hand(self) -> bool:
        """Whether what it needs was fetched."""
        return not self.component.fetched or (self.model is not None and self.model.is_file())

    @property
    def version(self) -> str:
        """The digest of its model, else the versions of its distribution and of OpenCV."""
        if self.model is not None and self.model.is_file():
            return hash_file(self.model)
        return f"{self.component.provider}, OpenCV {cv2.__version__}"

    def build(self) -> FaceDetector:
        """Open the detector.

        Raises:
            DataError: its model is missing, damaged, or of another kind.
            PluginError: it is a plugin's, and failed.
        """
        component = self.component
        if self.model is not None:
            self._check_model(self.model)
        search = component.call(component.options(), model=self.model)

        def search_checked(image: Image) -> list[DetectedFace]:
            with component.naming_failures(search):
                faces = list(search(image))
            if not all(isinstance(face, DetectedFace) for face in faces):
                raise PluginError(f"{component}: gave {faces[:1]!r}: it must give DetectedFace records")
            return faces

        return FaceDetector(command_registry().name_of(component), search_checked, component.landmarks)

    def _check_model(self, model: Path) -> None:
        name, fetched = self.component.name, self.component.fetched
        if not self.is_at_hand:
            raise DataError(f"the detector {name} is not at hand: fetch it by `fas models get {fetched}`")
        if not model.is_file():
            raise DataError(f"{model}: no such file, given as the model of the detector {name}")
        if self.component.sha256 and hash_file(model) != self.component.sha256:
            raise DataError(
                f"{model}: not {name} as it was fetched, or damaged: "
                f"`fas models get {fetched}` fetches it again"
            )


def face_detector(choice: str | None = None) -> FaceDetector:
    """Build a detector; raises as `choose_detector` and `DetectorChoice.build` do."""
    return choose_detector(choice).build()


def choose_detector(choice: str | None = None) -> DetectorChoice:
    """Return the detector that a user chooses.

    Args:
        choice: the name of an installed detector, `NAME:FILE` with its model, or the file alone, for the
            detector that takes files with this suffix; None for the first of `DEFAULTS` that is at hand.

    Raises:
        DataError: there is no such detector, or it needs a file that is not given.
        PluginError: several plugins have a detector for such files.
    """
    plugins = command_registry()
    if choice is None:
        choices = [DetectorChoice.of(plugins.find(Detector, name)) for name in DEFAULTS]
        return next((item for item in choices if item.is_at_hand), choices[-1])
    name, file = plugins.split_name(Detector, choice)
    if plugins.providers(Detector, name):
        return DetectorChoice.of(plugins.find(Detector, name), file)
    takers = [item for item in plugins.all(Detector) if choice.lower().endswith(item.suffixes)]
    if not takers or not Path(choice).is_file():
        raise DataError(f"{choice}: no such detector: give {_list_choices(plugins.all(Detector))}")
    own = [item for item in takers if item.provider is not None and item.provider.is_core]
    if len(takers) > 1 and not own:
        examples = " or ".join(f"{plugins.name_of(item)}:{choice}" for item in takers)
        raise PluginError(f"{choice}: several detectors take such files: say which, {examples}")
    return DetectorChoice((own or takers)[0], Path(choice))


def _list_choices(detectors: list[Detector]) -> str:
    names = [item.name for item in detectors if not item.suffixes]
    files = [f"a {item.name} model ({', '.join(item.suffixes)})" for item in detectors if item.suffixes]
    return ", ".join(names) + "".join(f" or {file}" for file in files)


def advise_on(name: str | None) -> str | None:
    """Return a hint where photos were searched by a detector that is the default only until a better one."""
    return BETTER_DETECTOR if name in DEFAULTS[1:] else None


def require_landmarks(detector: FaceDetector) -> None:
    """Raise DataError if a detector finds no landmarks."""
    if not detector.has_landmarks:
        raise DataError(
            f"{detector.name} finds no landmarks, which aligned crops need: "
            "`fas models get centerface` fetches a detector that does"
        )


def _resize(photo: Image, scale: float) -> Image:
    if scale == 1:
        return photo
    size = (max(round(photo.shape[1] * scale), 1), max(round(photo.shape[0] * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(photo, size, interpolation=method))


def _move(face: DetectedFace, scale: float, dx: float = 0, dy: float = 0) -> DetectedFace:
    """Move a face by (dx, dy) pixels, then scale its coordinates."""
    x, y, w, h = face.box
    points = face.landmarks and tuple(((px + dx) * scale, (py + dy) * scale) for px, py in face.landmarks)
    return evolve(face, box=((x + dx) * scale, (y + dy) * scale, w * scale, h * scale), landmarks=points)
