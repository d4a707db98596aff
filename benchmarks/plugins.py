"""Measure how long `fas --help` takes beside fifty installed plugins, against none but fas's own.

    python benchmarks/plugins.py

Two fresh virtual environments borrow what is installed here. One gets fifty plugins by `fas plugins new`, of
every kind in turn. Both run in turn, so that a busy machine slows both alike. `imported` is the time where
every plugin is imported, as `fas` does after a change. The exit code is 1 if the claim, a ratio below 1.5,
does not hold.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from fas_core.command_cache import NO_CACHE, SETTLED
from fas_core.descriptors import KINDS
from fas_plugins.commands.new_plugin.project import write_project

CLAIM = 1.5
PLUGINS = 50


def make_environment(path: Path, plugins: int) -> Path:
    """Make a virtual environment with so many plugins, installed as pip would; return its Python."""
    venv.create(path, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(path)}))
    (site / "borrowed.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for number in range(plugins):
        kind = list(KINDS)[number % len(KINDS)]
        project, _ = write_project(f"{kind}-{number}", kind, path)
        install(project, site)
    return path / "bin" / "python"


def install(project: Path, site: Path) -> None:
    """Copy a project's package, and write the metadata that an installer writes."""
    name, package = project.name, project.name.replace("-", "_")
    shutil.copytree(project / package, site / package)
    info = site / f"{package}-0.1.0.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 0.1.0\nRequires-Dist: fas-core>=0.1,<1\n"
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(f"[fas]\n{name.removeprefix('fas-')} = {package}\n")


def measure_seconds(python: Path, environment: dict[str, str]) -> float:
    """Run `fas --help` and return its wall time in seconds."""
    start = time.perf_counter()
    command = [str(python), "-P", "-m", "fas_core", "--help"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="Starts of each kind (default 15).")
    repeat = parser.parse_args().repeat
    with TemporaryDirectory() as folder:
        pythons = {
            f"{count} plugins": make_environment(Path(folder, str(count)), count) for count in (0, PLUGINS)
        }
        # Byte code is compiled once, as an installer does, but not into what is borrowed.
        common = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder, "FAS_CACHE_DIR": folder}
        cases = {name: (python, common) for name, python in pythons.items()}
        cases |= {f"{name}, imported": (item, common | {NO_CACHE: "1"}) for name, item in pythons.items()}
        time.sleep(SETTLED)
        for case in cases.values():  # once without measuring, so that the commands are remembered
            measure_seconds(*case)
        durations: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(repeat):
            for name, case in cases.items():
                durations[name].append(measure_seconds(*case))
    for name, times in durations.items():
        print(f"{name:22} median {median(times) * 1e3:6.1f} ms  least {min(times) * 1e3:6.1f} ms")
    none, fifty, *imported = (median(times) for times in durations.values())
    print(f"ratio of medians {fifty / none:.2f}, claimed < {CLAIM:g}")
    print(f"where all are imported {imported[1] / imported[0]:.2f}")
    return 0 if fifty < CLAIM * none else 1


if __name__ == "__main__":
    sys.exit(main())
