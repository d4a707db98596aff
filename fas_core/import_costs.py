"""What it costs to import a plugin: the time, and the packages that come with it.

Each plugin is imported in a process of its own, in which `fas_core` is imported but no other plugin: of two
that import torch, both are told apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from time import perf_counter
from typing import Any

from attrs import frozen

from fas_core.discovery import PluginRecord, canonical, discover
from fas_core.failures import top_package

SLOW = 0.25
"""Seconds, about as long as `fas --help` takes."""
MANY = 200
"""Modules. numpy has about 120, pandas and torch far more."""

PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from fas_core.import_costs import print_cost
print_cost(*sys.argv[2:])
"""


@frozen
class ImportCost:
    """The cost of importing a plugin and of asking it for its components.

    Args:
        seconds: of wall time; None if the process died.
        modules: number of modules that were imported.
        packages: top-level packages that were imported besides the plugin's own and the standard library, the
            one with most modules first.
    """

    seconds: float | None
    modules: int = 0
    packages: tuple[str, ...] = ()

    @property
    def is_high(self) -> bool:
        """Whether the plugin slows `fas` down."""
        return self.seconds is None or self.seconds >= SLOW or self.modules >= MANY


def measure_cost(record: PluginRecord, siblings: Sequence[PluginRecord]) -> ImportCost:
    """Import a plugin in a new process.

    Args:
        siblings: all installed plugins, of which those of its distribution are left out.
    """
    others = {item.token for item in siblings if item.distribution == record.distribution} - {record.token}
    arguments = (json.dumps(sys.path), record.distribution, record.module, json.dumps(sorted(others)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False
    )
    try:
        return ImportCost(**{**(plain := json.loads(done.stdout)), "packages": tuple(plain["packages"])})
    except ValueError:
        return ImportCost(None)


def print_cost(distribution: str, module: str, others: str) -> None:
    """Import the plugins of a distribution, except some, and print the cost: the measuring process."""
    # Discovery imports these once for all plugins.
    import packaging.requirements  # noqa: F401

    import fas_core.hookspecs  # noqa: F401

    name = canonical(distribution)
    installed = next(item for item in distributions() if canonical(item.metadata["Name"] or "") == name)
    before = set(sys.modules)
    start = perf_counter()
    list(discover([installed], frozenset(json.loads(others))))
    seconds = perf_counter() - start
    sys.stdout.write(json.dumps(_describe(seconds, set(sys.modules) - before, module)))
    sys.stdout.flush()
    os._exit(0)  # what the plugin prints at the end of the process is not part of the document


def _describe(seconds: float, imported: set[str], module: str) -> Mapping[str, Any]:
    own = {top_package(module), "fas_core", *sys.stdlib_module_names}
    counts = Counter(map(top_package, imported))
    packages = [name for name, _ in counts.most_common() if name not in own and not name.startswith("_")]
    return {"seconds": seconds, "modules": len(imported), "packages": packages}
