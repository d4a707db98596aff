"""Options of the metrics."""

from __future__ import annotations

import pytest

from fas_core import ConfigError, Metric
from fas_core.testing import find_component, read_options


@pytest.mark.parametrize("rates", [[], [0], [1], [-0.1], [0.1, 0.1], ["high"], 0.1])
@pytest.mark.parametrize(
    ("name", "key"), [("tpr_at_fpr", "fprs"), ("bpcer_ap", "apcers"), ("apcer_at_bpcer", "bpcers")]
)
def test_bad_rates_are_refused(name: str, key: str, rates: object) -> None:
    with pytest.raises(ConfigError, match=key):
        read_options(find_component(Metric, name).options, {key: rates})
