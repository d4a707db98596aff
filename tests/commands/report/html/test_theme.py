"""Colours have the contrast of WCAG AA, on light and on dark pages."""

from __future__ import annotations

import pytest

from fas_plugins.commands.report.html.theme import COLOURS, LINES


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: int) -> None:
    colours = {role: pair[scheme] for role, pair in COLOURS.items()}
    for role in ("ink", "quiet", "live", "attack", *LINES):
        assert contrast(colours[role], colours["paper"]) >= 4.5
        assert contrast(colours[role], colours["raised"]) >= 4.5
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
