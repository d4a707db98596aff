"""Options of the metrics."""

from __future__ import annotations

import pytest

from fas_core import ConfigError
from fas_core.config.components import MetricChoice
from fas_core.config.structure import structure
from fas_core.registry import registry


@pytest.mark.parametrize("rates", [[], [0], [1], [-0.1], [0.1, 0.1], ["high"], 0.1])
@pytest.mark.parametrize(
    ("name", "key"), [("tpr_at_fpr", "fprs"), ("bpcer_ap", "apcers"), ("apcer_at_bpcer", "bpcers")]
)
def test_bad_rates_are_refused(name: str, key: str, rates: object) -> None:
    with pytest.raises(ConfigError, match=key):
        structure({"name": name, key: rates}, MetricChoice, registry(), "test")
