"""Options of the backbones."""

from __future__ import annotations

from typing import Any

import pytest

from fas_plugins.backbones.options import (
    CDCNOptions,
    FeatherNetOptions,
    MobileLiteNetOptions,
    MobileNetV2Options,
)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (FeatherNetOptions, {"head": "bald"}),
        (MobileLiteNetOptions, {"dropout": 1.0}),
        (MobileLiteNetOptions, {"dropout": -0.1}),
        (MobileNetV2Options, {"width": 0.0}),
        (MobileNetV2Options, {"width": 5.0}),
        (MobileNetV2Options, {"dropout": 1.0}),
        (MobileNetV2Options, {"dropout": -0.1}),
        (CDCNOptions, {"theta": -0.1}),
        (CDCNOptions, {"theta": 1.1}),
    ],
)
def test_options_out_of_range_are_refused(options: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' must be"):
        options(**wrong)
