"""Scores of a site's photos, with the people that folders or a manifest name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from attrs import evolve, frozen

from fas_core.data.open import open_manifest
from fas_core.data.text_lists import MODALITIES
from fas_core.errors import DataError, format_list
from fas_core.inference.predict_inputs import PictureOptions, PredictOptions, predict_inputs
from fas_core.registry import registry
from fas_core.runtime.inputs import MANIFEST_SUFFIXES
from fas_core.scores.label_words import parse_class, parse_split
from fas_core.scores.table import ATTACK, LIVE, ScoreTable

ANY_THRESHOLD = "fixed:0.5"
"""Scores do not depend on it; a model without a threshold can be calibrated, too."""


@frozen(eq=False)
class SitePhotos:
    """The scores of photos.

    Args:
        scores: photos that have a score, with label and, where known, subject.
        reasons: number of photos without a score, by the reason.
    """

    scores: ScoreTable
    reasons: Counter[str]

    @property
    def attacks(self) -> int:
        """Number of attacks among them."""
        return int((self.scores.labels == ATTACK).sum())

    def describe_unscored(self) -> str:
        """Return how many photos have no score and why; an empty text if all have one."""
        if not (total := self.reasons.total()):
            return ""
        reasons = format_list([f"{reason} ({count})" for reason, count in self.reasons.most_common()])
        return f"{total} of {total + len(self.scores)} photos have no score: {reasons}"


@frozen
class _Owner:
    """The person of a photo, None where not known, and its label."""

    subject: str | None
    label: int


def score_photos(model: Path, source: Path, options: PredictOptions, *, label: int = LIVE) -> SitePhotos:
    """Score the photos of a folder or manifest as `fas predict` does.

    The person is the manifest's column `subject`, or the photo's first folder below the source that does not
    name a modality, class or split. The label is the manifest's, or that of a folder such as `attack`, else
    `label`.

    Raises:
        DataError: there are no photos, or none has a score.
    """
    verdicts = predict_inputs(
        model, [str(source)], evolve(options, threshold=ANY_THRESHOLD), PictureOptions()
    )
    scored = [row for row in verdicts.rows if row.prediction is not None]
    reasons = Counter(row.reason for row in verdicts.rows if row.prediction is None)
    if not scored:
        raise DataError(f"{source}: no photo has a score: {format_list(list(reasons))}")
    known = _read_owners(source) if source.suffix.lower() in MANIFEST_SUFFIXES else {}
    owners = [known.get(row.name) or _find_owner(Path(row.name), source) for row in scored]
    labels = [ATTACK if label == ATTACK else owner.label for owner in owners]
    columns = {
        "id": [row.name for row in scored],
        "score": [row.prediction.score for row in scored if row.prediction is not None],
        "label": labels,
        "subject": [owner.subject for owner in owners],
    }
    return SitePhotos(ScoreTable.of(columns, name=str(source)), reasons)


def _read_owners(path: Path) -> dict[str, _Owner]:
    """Read people and labels of a manifest, by the ids of its rows; rows without a label are live."""
    reader = open_manifest(path, MODALITIES, registry())
    owners: dict[str, _Owner] = {}
    for split in reader.splits():
        samples = reader.samples(split)
        rows = zip(samples.column("id"), samples.column("subject"), samples.labels.tolist(), strict=True)
        owners |= {name: _Owner(subject, LIVE if label < 0 else label) for name, subject, label in rows}
    return owners


def _find_owner(path: Path, source: Path) -> _Owner:
    """Return person and label by the folders between the source and a photo."""
    folders = path.relative_to(source).parts[:-1] if path.is_relative_to(source) else ()
    classes = [parse_class(name) for name in folders]
    people = [
        name
        for name, kind in zip(folders, classes, strict=True)
        if kind is None and parse_split(name) is None and name.lower() not in MODALITIES
    ]
    label = ATTACK if ATTACK in classes else LIVE
    return _Owner(people[0] if people else None, label)
