from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.memory_dataset import dataset_of_labels, table

from fas_core.config.recipe import Recipe
from fas_core.training.splits import format_counts, training_splits

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def recipe(make_recipe: MakeRecipe, tmp_path: Path) -> Recipe:
    return make_recipe(tmp_path)


def test_train_and_dev_are_returned(recipe: Recipe) -> None:
    train, dev = training_splits(dataset_of_labels({"train": [1, 0, 0], "dev": [0, 1]}), recipe)
    assert train.column("label") == [1, 0, 0]
    assert dev is not None
    assert dev.column("id") == ["dev/0.png", "dev/1.png"]


def test_dev_may_be_missing(recipe: Recipe) -> None:
    assert training_splits(dataset_of_labels({"train": [1, 0], "test": [1]}), recipe)[1] is None


@pytest.mark.parametrize("dev", [[1, 1], [0], [1, 0, None], []])
def test_dev_that_cannot_be_evaluated_is_left_out_with_a_warning(
    recipe: Recipe, dev: list[int | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert training_splits(dataset_of_labels({"train": [1, 0], "dev": dev}), recipe)[1] is None
    text = " ".join(capsys.readouterr().err.split())
    assert "cannot be evaluated" in text
    assert f"{len(dev)} samples" in text


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([1, 0, 0], "3 samples (1 live, 2 attack)"),
        ([1, None], "2 samples (1 live, 1 unknown)"),
        ([0], "1 samples (1 attack)"),
    ],
)
def test_counts_are_of_the_classes_present(labels: list[int | None], text: str) -> None:
    assert format_counts(table(labels)) == text
