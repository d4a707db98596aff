"""Reject policies: parsing, the band of a target error, and bands that do not fit a threshold."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from fas_core.errors import ConfigError, DataError
from fas_core.scores.rates import ErrorRates
from fas_core.scores.rejection import RejectBand, fit_reject, is_fitted, parse_reject, widen_band
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold


def rates(live: list[float], attack: list[float]) -> ErrorRates:
    return ErrorRates.of(np.array(live), np.array(attack))


def dev(live: list[float], attack: list[float]) -> ScoreTable:
    labels = [1] * len(live) + [0] * len(attack)
    return ScoreTable.of({"id": list(map(str, range(len(labels)))), "score": live + attack, "label": labels})


def test_policies() -> None:
    assert parse_reject("0.4:0.6") == (0.4, 0.6)
    assert parse_reject("-3:-1e-2") == (-3.0, -0.01)
    assert parse_reject("error:0.01") == 0.01
    assert parse_reject("none") is None


@pytest.mark.parametrize(
    "text", ["", "0.5", "0.6:0.4", "0.5:0.5", "nan:1", "0:inf", "error:1", "error:-0.1", "error:x", "1:2:3"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"must be LOW:HIGH .* or none, e\.g\. 0\.4:0\.6"):
        parse_reject(text)


def test_the_band_of_a_target_error_is_the_narrowest() -> None:
    # Threshold 0.5 accepts the attack 0.7 of 5 and refuses the live 0.3 of 5. For at most one wrong verdict
    # in four, one error beside three right ones is enough: nothing is uncertain.
    live, attack = [0.3, 0.6, 0.8, 0.9, 1.0], [0.0, 0.1, 0.2, 0.4, 0.7]
    assert widen_band(rates(live, attack), 0.5, 0.25) == (0.5, 0.5)
    # No error at all: above 0.7, midway to 0.8; and below 0.3, midway to 0.2.
    assert widen_band(rates(live, attack), 0.5, 0.0) == pytest.approx((0.25, 0.75))


def test_a_band_leaves_fewer_verdicts_so_the_other_end_moves_too() -> None:
    # Target 1/3. Attacks: 0.9 is accepted at 0.5 beside two rejected ones, which the target allows. Live:
    # 0.1 and 0.2 are refused beside two accepted ones, one too many, so low moves to 0.1 at most. That makes
    # the attack 0.3 uncertain: 0.9 is accepted beside one rejected attack alone, and high moves above it.
    live, attack = [0.1, 0.2, 0.6, 0.95], [0.05, 0.3, 0.9]
    low, high = widen_band(rates(live, attack), 0.5, 1 / 3)
    assert (low, high) == pytest.approx((0.075, 0.925))
    accepted, refused = rates(live, attack).apcer(high), rates(live, attack).bpcer(low)
    assert (float(accepted), float(refused)) == (0.0, 0.0)


@pytest.mark.parametrize("target", [0.0, 0.02, 0.1, 0.3])
def test_the_target_is_kept_and_no_narrower_band_keeps_it(target: float) -> None:
    random = np.random.default_rng(3)
    live, attack = random.normal(1, 1, 60).round(2), random.normal(-1, 1, 50).round(2)
    found = widen_band(ErrorRates.of(live, attack), 0.0, target)

    def keeps(low: float, high: float) -> bool:
        accepted, rejected = (attack >= high).sum(), (attack < low).sum()
        refused, right = (live < low).sum(), (live >= high).sum()
        return bool(
            accepted <= target * (accepted + rejected) + 1e-9 and refused <= target * (refused + right) + 1e-9
        )

    assert keeps(*found)
    scores = np.concatenate([live, attack])
    ends = np.unique([*scores, 0.0])
    bands = [(low, high) for low in ends[ends <= 0] for high in ends[ends >= 0] if keeps(low, high)]
    inside = [int(((low <= scores) & (scores < high)).sum()) for low, high in (*bands, found)]
    assert inside[-1] == min(inside)


def test_a_fitted_threshold_has_its_band() -> None:
    scores = dev([0.3, 0.6, 0.8, 0.9, 1.0], [0.0, 0.1, 0.2, 0.4, 0.7])
    threshold = fit_threshold("fixed:0.5", scores, reject="error:0")
    assert threshold.reject == RejectBand(pytest.approx(0.25), pytest.approx(0.75), "error:0", "dev")
    assert threshold.text() == (
        "uncertain from 0.25 up to 0.75 (error:0 on dev), accepted from there on; threshold 0.5 (fixed:0.5)"
    )
    assert threshold.to_json()["reject"]["high"] == pytest.approx(0.75)
    assert fit_threshold("fixed:0.5", scores, reject="error:0.25").reject is None
    assert fit_threshold("eer", scores, reject="none").to_json().keys() == {"value", "policy", "source"}
    assert is_fitted(threshold.reject)
    assert not is_fitted(RejectBand(0.4, 0.6, "0.4:0.6", "given"))


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(DataError, match=r"fitted on dev scores.*fas export RUN --reject error:0\.01"):
        fit_reject("error:0.01", 0.5, None, "dev")
    with pytest.raises(DataError, match="both classes"):
        fit_reject("error:0.01", 0.5, dev([0.5], []), "dev")
    with pytest.raises(DataError, match="infinite"):
        fit_reject("error:0", 0.5, dev([0.6], [inf]), "dev")
    with pytest.raises(ConfigError, match=r"from 0\.6 up to 0\.7 .* does not contain the threshold 0\.5"):
        fit_reject("0.6:0.7", 0.5, None, "dev")
    with pytest.raises(ValueError, match="around the threshold"):
        Threshold(0.5, "eer", "dev", RejectBand(0.6, 0.7, "0.6:0.7", "given"))
