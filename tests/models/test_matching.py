"""Matching the entries of a model with those of a published file."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fas_core.errors import ModelError
from fas_core.models.matching import EntryMatch, adapt_input_channels, add_prefix, copy_matched, match_by_name


def entries(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    return {name.replace("__", "."): torch.rand(shape) for name, shape in shapes.items()}


def test_entries_match_by_published_name_and_shape() -> None:
    model = entries(a__weight=(2, 3), a__bias=(2,), b__weight=(4,), c__num_batches_tracked=())
    names = {name: f"old.{name}" for name in model}
    file = {"old.a.weight": torch.rand(2, 3), "old.b.weight": torch.rand(5), "extra": torch.rand(1)}
    match = match_by_name(model, names, file)
    assert match == EntryMatch(
        pairs=(("a.weight", "old.a.weight"),),
        missing=("old.a.bias",),  # the counter of batches may be missing
        mismatched=("old.b.weight is (5,) and should be (4,)",),
        unused=("extra",),
    )
    assert not match.exact
    assert match.differences() == (
        "1 missing in the file: old.a.bias; "
        "1 of another shape: old.b.weight is (5,) and should be (4,); "
        "1 left over in the file: extra"
    )


def test_an_exact_match_has_no_differences() -> None:
    model = entries(weight=(2,))
    match = match_by_name(model, {"weight": "weight"}, entries(weight=(2,)))
    assert match.exact
    assert match.differences() == ""


def test_import_json_keeps_its_keys() -> None:
    match = EntryMatch((("a", "b"),), ("a",), ("c",), ("d",), ("e",))
    assert match.to_json() == {
        "pairs": (("a", "b"),),
        "adapted": ("a",),
        "missing": ("c",),
        "reshaped": ("d",),
        "left": ("e",),
    }


@pytest.mark.parametrize(
    ("shape", "adapt_input", "adapted"),
    [((8, 3, 5, 5), True, True), ((8, 3, 5, 5), False, False), ((9, 3, 5, 5), True, False)],
)
def test_only_the_first_convolution_may_have_other_input_channels(
    shape: tuple[int, ...], adapt_input: bool, adapted: bool
) -> None:
    model = entries(first=(8, 1, 5, 5), second=(8, 1, 5, 5))
    names = {name: name for name in model}
    file = {"first": torch.rand(shape), "second": torch.rand(8, 3, 5, 5)}
    match = match_by_name(model, names, file, adapt_input=adapt_input)
    assert match.adapted == (("first",) if adapted else ())
    assert len(match.mismatched) == (1 if adapted else 2)


def test_copying_fills_what_is_matched_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Linear(2, 2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    file = {"kernel": torch.rand(2, 3, 1, 1), "bias": torch.rand(2)}
    match = EntryMatch((("0.weight", "kernel"), ("0.bias", "bias")), adapted=("0.weight",))
    copy_matched(network, match, file)
    torch.testing.assert_close(network[0].weight.data, file["kernel"].sum(dim=1, keepdim=True))
    assert torch.equal(network[0].bias.data, file["bias"])
    assert torch.equal(network[1].weight.data, before["1.weight"])


@pytest.mark.parametrize("channels", [1, 6, 9])
def test_copies_of_an_image_give_what_the_image_gave(channels: int) -> None:
    kernel, grey = torch.rand(4, 3, 3, 3), torch.rand(1, 1, 8, 8)
    expected = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), kernel)
    adapted = adapt_input_channels(kernel, channels)
    result = nn.functional.conv2d(grey.expand(-1, channels, -1, -1), adapted)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prefix", ["", "model.", "net.", "model.net.module."])
def test_a_prefix_of_the_file_is_added_to_the_names(prefix: str) -> None:
    names = {"conv.weight": "features.0.weight", "conv.bias": "features.0.bias", "fc.weight": "fc.weight"}
    file = {f"{prefix}{name}": torch.rand(1) for name in names.values()} | {"loss.weight": torch.rand(1)}
    assert add_prefix(names, file) == {entry: prefix + name for entry, name in names.items()}


def test_names_that_a_file_does_not_have_keep_the_most_frequent_prefix() -> None:
    names = {name: name for name in ("a.weight", "b.weight", "c.weight")}
    file = {"net.a.weight": torch.rand(1), "net.b.weight": torch.rand(1), "c.weight": torch.rand(1)}
    assert add_prefix(names, file)["c.weight"] == "net.c.weight"
    assert add_prefix(names, {"other": torch.rand(1)}) == names


def test_two_networks_in_one_state_dict_are_refused() -> None:
    names = {name: name for name in ("a.weight", "b.weight")}
    file = {f"{prefix}.{name}": torch.rand(1) for prefix in ("student", "teacher") for name in names}
    with pytest.raises(ModelError, match=r"several such networks, below 'student\.' and 'teacher\.'"):
        add_prefix(names, file)
