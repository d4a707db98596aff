"""Error messages: several problems at once, short lists, suggestions, missing extras."""

from __future__ import annotations

import pytest

from fas_core.errors import ConfigError, FasError, format_list, require, suggest_closest


def test_several_problems_are_a_line_each() -> None:
    error = ConfigError("recipe x: 2 problems", ["train.lr: must be > 0: -1", "loss: no"])
    assert str(error) == "recipe x: 2 problems\n  train.lr: must be > 0: -1\n  loss: no"
    assert (error.message, error.exit_code) == ("recipe x: 2 problems", 2)
    assert str(FasError("one")) == "one"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        ([1, 2], "1, 2"),
        (range(5), "0, 1, 2, 3, 4"),
        (range(12), "0, 1, 2, 3, 4 and 7 more"),
        (iter("ab"), "a, b"),
    ],
)
def test_long_lists_are_shortened(items: list[object], text: str) -> None:
    assert format_list(items) == text


def test_a_list_has_as_many_items_as_asked_for() -> None:
    assert format_list("abc", shown=2) == "a, b and 1 more"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("focall", " (did you mean 'focal'?)"),
        ("Focal", " (did you mean 'focal'?)"),
        ("cross", " (did you mean 'cross_entropy'?)"),
        ("zzz", " (known: cross_entropy, focal)"),
        ("oc", " (known: cross_entropy, focal)"),
    ],
)
def test_the_closest_name_is_suggested(name: str, text: str) -> None:
    assert suggest_closest(name, ["focal", "cross_entropy"]) == text


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("resnet50", "fishnet150"),
        ("train", "rain_fall"),
        ("hinge", "single"),
        ("lr", "flip"),
        ("vgg", "cdcn"),
    ],
)
def test_an_unrelated_name_is_not_suggested(name: str, known: str) -> None:
    assert suggest_closest(name, [known]) == f" (known: {known})"


def test_there_is_nothing_to_suggest_without_names() -> None:
    assert suggest_closest("x", []) == ""


def test_missing_modules_are_named_with_the_extra_that_installs_them() -> None:
    require("train", "json", "re")
    with pytest.raises(FasError) as caught:
        require("serve", "json", "no_such_module", "nor_this_one", distribution="acme-fas")
    assert str(caught.value) == "this needs no_such_module, nor_this_one: pip install 'acme-fas[serve]'"
