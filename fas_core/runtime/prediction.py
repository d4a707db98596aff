"""What a model says of a face, and what is reported for one input: verdict, score, box, reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fas_core.data.images import Box
from fas_core.names import to_text
from fas_core.scores.rejection import RejectBand

NOVEL = "unlike the training data: what the model says of it is a guess"

VERDICTS: dict[bool | None, str] = {True: "live", False: "attack", None: "uncertain"}
"""The verdict by `Prediction.live`."""

COLUMNS = ("id", "score", "verdict", "threshold", "box", "reason", "detector", "novelty")
"""The columns of a file of results; `fas score` and `fas drift` read `id` and `score`."""


@frozen
class Prediction:
    """A model's decision on one face.

    Args:
        score: higher is more live; of a classifier the probability of being live.
        threshold: accepted as live when `score >= threshold`.
        reject: the scores around the threshold that are uncertain; None where every score has a verdict.
        novelty: distance to the training data; None where the model does not tell.
        novelty_limit: a face further away is novel: what the model says of it is a guess.
        live: None where the score is uncertain.
    """

    score: float
    threshold: float
    reject: RejectBand | None = field(default=None, repr=False)
    novelty: float | None = field(default=None, repr=False)
    novelty_limit: float | None = field(default=None, repr=False)
    live: bool | None = field(init=False)

    @live.default
    def _accepted(self) -> bool | None:
        if self.reject is not None and self.reject.contains(self.score):
            return None
        return self.score >= self.threshold

    @property
    def verdict(self) -> str:
        """`live`, `attack` or `uncertain`."""
        return VERDICTS[self.live]

    @property
    def is_novel(self) -> bool:
        """Whether the face is unlike the training data, as far as the model can tell."""
        return (
            self.novelty is not None and self.novelty_limit is not None and self.novelty > self.novelty_limit
        )

    def novelty_to_json(self) -> dict[str, Any] | None:
        """Return distance, limit and whether it is above the limit; None where the model does not tell."""
        if self.novelty is None:
            return None
        return {"distance": self.novelty, "limit": self.novelty_limit, "novel": self.is_novel}

    @property
    def reason(self) -> str:
        """Why the verdict is uncertain; empty for the others."""
        return "" if self.live is not None or self.reject is None else f"the score is {self.reject.text()}"


@frozen
class FrameCounts:
    """How many frames of a video were read, and how many of them have a score."""

    read: int
    scored: int


@frozen
class FaceResult:
    """The result for one face, or for an input without one; or the verdict on a video or a face in it.

    Args:
        name: the input's name; followed by `#2` and so on for its second and further faces.
        images: `{modality: file}` of the input.
        box: the face as x, y, w, h in pixels of the first image; None for the whole image.
        prediction: None where no face was scored.
        reason: why no face was scored, or why the verdict is uncertain.
        picture: file of the explanation; None where none was requested.
        detector: name of the detector that searched the image; None where it was taken as it is.
        video: name of the video, the camera or the stream that it is a frame of; None for a photo.
        frame: number of the frame from 1; None where the video cannot be read.
        track: number of the face in its video, from 1; None where no face was looked for.
        frames: of a verdict on a video or a face in it; None for a single frame.
    """

    name: str
    images: Mapping[str, str]
    box: Box | None
    prediction: Prediction | None
    reason: str = ""
    picture: Path | None = None
    detector: str | None = None
    video: str | None = None
    frame: int | None = None
    track: int | None = None
    frames: FrameCounts | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the columns of `COLUMNS`, None where there is no value, for a CSV or Parquet file.

        Of a video there are further columns, among them `video` and `frame`, which `fas score` reads.
        """
        prediction = self.prediction
        return {
            "id": to_text(self.name),
            "score": None if prediction is None else prediction.score,
            "verdict": None if prediction is None else prediction.verdict,
            "threshold": None if prediction is None else prediction.threshold,
            "box": None if self.box is None else " ".join(f"{value:.1f}" for value in self.box),
            "reason": to_text(self.reason),
            "detector": self.detector,
            "novelty": None if prediction is None else prediction.novelty,
            **self._describe_video(),
        }

    def to_json(self) -> dict[str, Any]:
        prediction = self.prediction
        return {
            "input": self.name,
            "images": dict(self.images),
            "box": None if self.box is None else [round(value, 1) for value in self.box],
            "score": None if prediction is None else prediction.score,
            "verdict": None if prediction is None else prediction.verdict,
            "reason": self.reason or None,
            "detector": self.detector,
            "novelty": None if prediction is None else prediction.novelty_to_json(),
            **self._describe_video(),
        }

    def _describe_video(self) -> dict[str, Any]:
        if self.video is None:
            return {}
        name = {"video": to_text(self.video)}
        if self.frames is None:
            return {**name, "frame": self.frame, "track": self.track}
        return {**name, "track": self.track, "frames": self.frames.read, "scored": self.frames.scored}
