"""Names of metrics at a target rate."""

from __future__ import annotations

import pytest

from fas_plugins.metrics.formatting import format_rate


@pytest.mark.parametrize(
    ("rate", "text"), [(0.01, "1e-2"), (0.0125, "1.25e-2"), (1e-4, "1e-4"), (0.5, "5e-1"), (0.1, "1e-1")]
)
def test_a_rate_is_written_in_scientific_notation(rate: float, text: str) -> None:
    assert format_rate(rate) == text
