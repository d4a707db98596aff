"""Modalities that file names and folders name."""

from __future__ import annotations

import pytest

from fas_core.data.modality_names import split_modality


@pytest.mark.parametrize(
    ("path", "modality", "rest"),
    [
        ("depth/x.png", "depth", "x"),
        ("a/IR/b/x.png", "ir", "a/b/x"),
        ("a/x_depth.png", "depth", "a/x"),
        ("a/x-Color.jpg", "rgb", "a/x"),
        ("x.depth.png", None, "x.depth"),
        ("_ir.png", None, "_ir"),
        ("ir", None, "ir"),
        ("thermal/x.png", None, "thermal/x"),
    ],
)
def test_a_folder_or_the_end_of_the_name(path: str, modality: str | None, rest: str) -> None:
    assert split_modality(path) == (modality, rest)


def test_a_folder_comes_before_the_name_and_others_can_be_known() -> None:
    assert split_modality("rgb/x_ir.png") == ("rgb", "x_ir")
    assert split_modality("thermal/x.png", ("thermal",)) == ("thermal", "x")
    assert split_modality("rgb/x.png", ("thermal",)) == (None, "rgb/x")
