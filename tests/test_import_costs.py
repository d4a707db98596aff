"""What it costs to import a plugin, measured in a process of its own."""

from __future__ import annotations

from fixtures.strangers import Here

from fas_core.discovery import PluginRecord
from fas_core.import_costs import MANY, SLOW, ImportCost, measure_cost

METRIC = """
from fas_core import Metric, hookimpl

@hookimpl
def fas_metrics():
    yield Metric(name={name!r}, summary="", target="a:b")
"""


def test_two_plugins_that_import_the_same_package_are_both_told(here: Here) -> None:
    here.install("light-fas", "import json, colorsys\n" + METRIC.format(name="light"))
    for name in ("first", "second"):
        here.install(f"{name}-fas", "import yaml\n" + METRIC.format(name=name))
    records = here.discover()
    costs = {record.distribution: measure_cost(record, records) for record in records}
    assert costs["light-fas"].packages == ()
    assert costs["light-fas"].modules >= 2
    for name in ("first-fas", "second-fas"):
        assert "yaml" in costs[name].packages
    assert all(cost.seconds is not None and cost.seconds > 0 for cost in costs.values())


def test_of_two_plugins_of_a_distribution_one_is_imported(here: Here) -> None:
    here.install("twin-fas", METRIC.format(name="one"), entry="one")
    heavy = here.site.path / "twin_heavy.py"
    heavy.write_text("import yaml\n" + METRIC.format(name="two"))
    entries = here.site.path / "twin-fas-1.5.dist-info" / "entry_points.txt"
    entries.write_text("[fas]\none = twin_fas\ntwo = twin_heavy\n")
    here.refresh()
    records = here.discover()
    costs = {record.name: measure_cost(record, records) for record in records}
    assert ("yaml" in costs["one"].packages, "yaml" in costs["two"].packages) == (False, True)


def test_what_a_plugin_prints_is_no_cost(here: Here) -> None:
    noisy = "print('{}')\nimport atexit\natexit.register(print, 'bye')\n"
    here.install("noisy-fas", noisy + METRIC.format(name="noisy"))
    noisy_plugin = PluginRecord("noisy_fas", "noisy-fas", "1.5", "active", module="noisy_fas")
    assert measure_cost(noisy_plugin, [noisy_plugin]).modules >= 1


def test_a_plugin_that_fails_has_a_cost_too(here: Here) -> None:
    here.install("broken-fas", "import yaml\nraise OSError('no licence')\n")
    (record,) = here.discover()
    cost = measure_cost(record, [record])
    assert (record.status, "yaml" in cost.packages) == ("failed", True)


def test_a_plugin_that_ends_the_process_is_told(here: Here) -> None:
    here.install("dying-fas", "import os\nos._exit(3)\n")
    dying = PluginRecord("dying_fas", "dying-fas", "1.5", "active", module="dying_fas")
    cost = measure_cost(dying, [dying])
    assert cost == ImportCost(None)
    assert cost.is_high


def test_slow_or_large_is_high() -> None:
    assert not ImportCost(SLOW / 2, MANY - 1).is_high
    assert ImportCost(SLOW, 1).is_high
    assert ImportCost(0.0, MANY).is_high
