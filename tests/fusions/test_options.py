"""Options of the fusions."""

from __future__ import annotations

from typing import Any

import pytest

from fas_plugins.fusions.options import CDCNFusionOptions, ClassifierOptions, SEFusionOptions


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (ClassifierOptions, {"classifier": "softmax"}),
        (ClassifierOptions, {"scale": 0.0}),
        (CDCNFusionOptions, {"theta": 1.5}),
        (SEFusionOptions, {"reduction": 0}),
    ],
)
def test_options_out_of_range_are_refused(options: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        options(**wrong)
