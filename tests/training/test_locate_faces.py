"""Faces of training photos: their boxes, and photos without a face, which are left out and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from click.testing import Result
from fixtures.peers import run_together

from fas_core.config.recipe import Recipe
from fas_core.data.images import Image, read_image, write_image
from fas_core.data.loader import training_loader
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_core.runtime.face_selection import select_faces
from fas_core.training.locate_faces import locate_faces

Fas = Callable[..., Result]
MakeRecipe = Callable[..., Recipe]
PhotoWith = Callable[..., Image]

CROPS = {"rgb": {"scale": 1.5, "shape": "square", "border": "black"}}
FACE = (200, 110, 70)
NO_FACE = 2
"""Row of the photo without a face."""


@pytest.fixture
def photos(tmp_path: Path, photo_with: PhotoWith) -> SampleTable:
    """Four photos, live and attacks in turn, of which one has no face."""
    for row in range(4):
        write_image(tmp_path / f"{row}.png", photo_with(*([] if row == NO_FACE else [FACE])))
    names = [f"{row}.png" for row in range(4)]
    columns = {"id": names, "label": [1, 0, 1, 0], "rgb": names}
    return SampleTable.of(columns, modalities=("rgb",), root=tmp_path)


@pytest.fixture
def recipe(make_recipe: MakeRecipe, tmp_path: Path) -> Recipe:
    return make_recipe(tmp_path, {"crops": CROPS})


def test_faces_are_those_of_evaluation(photos: SampleTable, recipe: Recipe, capsys: Any) -> None:
    located = locate_faces(photos, recipe)
    selector = select_faces(recipe.input)
    assert selector is not None
    expected = selector.select({"rgb": read_image(photos.path(0, "rgb"))}).crops[0].box
    assert located.column("id") == ["0.png", "1.png", "3.png"]
    assert [located.box(row) for row in range(3)] == [pytest.approx(expected, abs=1e-3)] * 3
    warning = " ".join(capsys.readouterr().err.split())
    assert "1 of 4 training samples have no face that cascade detects, and are left out: 2.png" in warning
    shared = run_together(3, lambda peers: locate_faces(photos, recipe, peers).table)
    assert all(table.equals(located.table) for table in shared)


def test_boxes_and_face_crops_stay_as_they_are(photos: SampleTable, recipe: Recipe, tmp_path: Path) -> None:
    boxes = [[10, 20, 30, 40]] * 4
    columns = {name: photos.column(name) for name in ("id", "label", "rgb")}
    known = SampleTable.of(columns | {"box": boxes}, modalities=("rgb",), root=tmp_path)
    assert locate_faces(known, recipe) is known
    some = SampleTable.of(columns | {"box": [*boxes[:3], None]}, modalities=("rgb",), root=tmp_path)
    located = locate_faces(some, recipe)
    assert [located.box(row) for row in range(3)] == [(10, 20, 30, 40)] * 3
    assert located.box(3) not in (None, (10, 20, 30, 40))
    (tmp_path / "crops.jsonl").touch()
    whole = locate_faces(photos, recipe)
    assert [whole.box(row) for row in range(4)] == [None] * 4


def test_a_recipe_of_face_images_needs_no_boxes(photos: SampleTable, make_recipe: MakeRecipe) -> None:
    assert locate_faces(photos, make_recipe(photos.root)) is photos


def test_boxes_are_in_pixels_of_the_tables_first_images(
    photos: SampleTable, recipe: Recipe, tmp_path: Path
) -> None:
    """The recipe takes rgb alone, and the table's first images are depth maps of half the size."""
    (single,) = [locate_faces(photos.take([0, 1]), recipe).box(0)]
    assert single is not None
    for row in range(2):
        assert cv2.imwrite(str(tmp_path / f"{row}_depth.png"), np.full((120, 160), 800, np.uint16))
    both = SampleTable.of(
        {
            "id": ["0", "1"],
            "label": [1, 0],
            "depth": ["0_depth.png", "1_depth.png"],
            "rgb": ["0.png", "1.png"],
        },
        modalities=("depth", "rgb"),
        root=tmp_path,
    )
    assert locate_faces(both, recipe).box(0) == pytest.approx([value / 2 for value in single])


def test_what_remains_must_be_both_classes(photos: SampleTable, recipe: Recipe) -> None:
    with pytest.raises(DataError, match="there are only attacks"):
        locate_faces(photos.take([1, NO_FACE, 3]), recipe)


def test_training_shows_what_evaluation_crops(
    photos: SampleTable, make_recipe: MakeRecipe, tmp_path: Path
) -> None:
    plain = {"crop_scale": [1, 1], "crop_ratio": [1, 1], "flip": 0, "lighting": 0}
    recipe = make_recipe(tmp_path, {"crops": CROPS, "augment": plain})
    (batch,) = training_loader(locate_faces(photos, recipe), recipe)
    selector = select_faces(recipe.input)
    assert selector is not None
    for row in range(3):
        photo = read_image(photos.path((0, 1, 3)[int(batch.index[row])], "rgb"))
        evaluated = selector.select({"rgb": photo}).crops[0].images["rgb"]
        np.testing.assert_array_equal(batch.images["rgb"][row].numpy(), evaluated)


def test_train_counts_what_is_left_out(fas: Fas, tmp_path: Path, photo_with: PhotoWith) -> None:
    for split in ("train", "dev"):
        for kind in ("live", "attack"):
            for number in range(3):
                face = [] if (split, kind, number) == ("train", "attack", 1) else [FACE]
                write_image(tmp_path / "data" / split / kind / f"{number}.png", photo_with(*face))
    tree = {
        "data": {"name": "folder", "root": str(tmp_path / "data")},
        "modalities": ["rgb"],
        "crops": CROPS,
        "model": {"backbone": "feathernet_a", "fusion": "single", "input_size": 32},
        "train": {"epochs": 1, "batch_size": 4, "workers": 0, "device": "cpu"},
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tree))
    result = fas("train", tmp_path / "tiny.yaml", "--runs", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    assert "1 of 6 training samples have no face" in " ".join(result.stderr.split())
    assert "train 5 samples (3 live, 2 attack)" in result.stdout
    result = fas("train", "--resume", tmp_path / "runs/tiny", "--epochs", "2")
    assert result.exit_code == 0, result.output
    assert "epoch 2/2" in result.stdout
