"""The worst misclassified samples: their order, their photos, and why photos are missing."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fas_core.scores.table import ScoreTable
from fas_plugins.commands.report.html.misclassified import find_misclassified, rank_misclassified
from fas_plugins.commands.report.systems import EvaluatedSystem


def test_the_worst_scores_come_first() -> None:
    values, labels = [0.9, 0.1, 0.5, 0.4, float("nan"), 0.2, 0.7], [0, 1, 1, 0, 0, 1, 0]
    scores = ScoreTable.of({"id": list("abcdefg"), "score": values, "label": labels})
    accepted, refused = rank_misclassified(scores, 0.5)
    assert accepted.tolist() == [0, 6]
    assert refused.tolist() == [1, 5]


def test_misclassified_samples_are_shown_with_their_photos(
    system: EvaluatedSystem, render_page: Any, parse_page: Any
) -> None:
    page = parse_page(render_page([system], plots=[]))
    accepted, _ = rank_misclassified(system.scores, system.threshold)
    ids = system.scores.table.column("id").to_pylist()
    assert f"Attacks accepted: {len(accepted)}" in page.text
    assert ids[accepted[0]] in page.text
    modalities = [found["alt"].split()[0] for found in page.all("img")]
    assert set(modalities) == {"rgb", "depth"}
    jpeg = b64decode(page.all("img")[0]["src"].partition(",")[2])
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (112, 112, 3)
    assert parse_page(render_page([system], worst=0)).all("img") == []


def test_a_damaged_photo_is_explained(
    make_run: Callable[..., Path],
    photos: Path,
    tmp_path: Path,
    evaluate: Any,
    render_page: Any,
    parse_page: Any,
) -> None:
    run = make_run(tmp_path / "worse", quality=-2)
    (system,) = evaluate(run, policy="fixed:0.5")
    accepted, _ = rank_misclassified(system.scores, 0.5)
    first = system.scores.table.column("id")[accepted[0]].as_py()
    file = photos / f"{first}_rgb.png"
    content = file.read_bytes()
    file.write_bytes(content[:50])
    try:
        text = parse_page(render_page([system])).text
    finally:
        file.write_bytes(content)
    assert f"{file}: the image is cut off" in text


def test_groups_without_photos_have_known_columns(evaluate: Any, write_scores: Any, tmp_path: Path) -> None:
    (system,) = evaluate(write_scores(tmp_path / "scores.csv"), policy="fixed:0.5")
    accepted, refused = find_misclassified(system, count=1)
    assert (accepted.title, refused.title) == ("Attacks accepted", "Live samples refused")
    assert len(accepted.samples) == 1 <= accepted.total
    (sample,) = accepted.samples
    assert sample.score >= 0.5
    assert sample.columns["species"] == "print"
    assert (sample.images, sample.note) == ({}, "")


def test_a_sample_that_is_not_in_the_data_set(
    run: Path, photos: Path, evaluate: Any, write_scores: Any, tmp_path: Path
) -> None:
    (system,) = evaluate(write_scores(tmp_path / "scores.csv"), policy="fixed:0.5", data=f"folder:{photos}")
    accepted, _ = find_misclassified(system, count=1)
    assert accepted.samples[0].note == "no photo with this id"


def test_there_are_no_groups_without_a_threshold(evaluate: Any, write_scores: Any, tmp_path: Path) -> None:
    (system,) = evaluate(write_scores(tmp_path / "scores.csv"))
    assert find_misclassified(system, count=3) == []
