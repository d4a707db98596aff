"""The counts of trials are printed at the end, also those of parallel processes."""

from __future__ import annotations

import pytest
from faults.counts import attach_counts, count, sum_counts


def make_report(*properties: tuple[str, object], when: str = "teardown") -> pytest.TestReport:
    return pytest.TestReport("a", ("a", 1, "a"), {}, "passed", None, when, user_properties=list(properties))


def test_counts_are_those_of_one_test(request: pytest.FixtureRequest) -> None:
    earlier = list(request.node.user_properties)
    count("kills")
    count("kills", 2)
    count("bombs")
    attach_counts(request.node)
    added = request.node.user_properties[len(earlier) :]
    request.node.user_properties[:] = earlier
    assert added == [("trials kills", 3), ("trials bombs", 1)]
    attach_counts(request.node)
    assert request.node.user_properties == earlier


def test_sums_over_reports() -> None:
    reports = [
        make_report(("trials kills", 1000), ("other", "x")),
        make_report(("trials kills", 500), ("trials bombs", 1)),
        make_report(("trials kills", 500), when="call"),
    ]
    assert sum_counts(reports) == "1 bombs, 1,500 kills"
    assert sum_counts([make_report(("other", "x"))]) == ""
