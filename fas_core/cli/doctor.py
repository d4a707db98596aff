"""`fas doctor`: the state of this installation, to paste into an issue."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from textwrap import fill
from typing import Any

import click
from attrs import asdict

from fas_core import __version__
from fas_core.cli.command import FasCommand
from fas_core.cli.options import output_options
from fas_core.console import console
from fas_core.registry import Registry, registry

WIDTH, LABEL = 80, 10
"""Of the text and of its first column, in characters."""

PATH = re.compile(r"(?<![\w.:/\\~])(?:~?/|[A-Za-z]:\\)[^\s'\"`,;:()\[\]]+")
"""An absolute path."""

USER = re.compile(r"^(?:/home|/Users|[A-Za-z]:\\Users)[/\\][^/\\]+")
"""The folder of a user."""

SMALL = 0.5
"""GB of shared memory, below which processes that read images fall back to pipes."""


@click.command(
    cls=FasCommand,
    examples="""
        # is everything here that fas needs?
        fas doctor
        # for an issue
        fas doctor > doctor.txt
        # for a program; the exit code is 1 where something is broken
        fas doctor --json
    """,
)
@output_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Print versions, extras, devices, free space and plugins with problems, to paste into an issue.

    No names of users, machines and folders are in it. The exit code is 0, or 1 where something is broken.
    """
    report = examine(registry())
    if console.json:
        console.document(report)
    else:
        console.lines(_format(report))
    ctx.exit(1 if report["problems"] else 0)


def examine(plugins: Registry) -> dict[str, Any]:
    """Return the state of this installation as plain data, without paths; `problems` has what is broken."""
    from fas_core.cli import machine

    packages, extras, problems = _check_packages()
    devices, failures = machine.list_all_devices(plugins)
    problems += failures
    failed = [record for record in plugins.records if record.status == "failed"]
    problems += [f"{record} failed: {record.failure}" for record in failed]
    space, memory = machine.measure_space(), machine.measure_memory()
    shared = space.get("/dev/shm")
    notes = plugins.clashes()
    if shared is not None and shared.total < SMALL:
        notes.append("/dev/shm is small: `docker run --shm-size 2g` makes training read faster")
    counts = _count_plugins(plugins)
    return {
        "fas": __version__,
        "python": platform.python_version(),
        "system": machine.describe_system(),
        "cpu": machine.describe_processor(),
        "memory": None if memory is None else asdict(memory),
        "space": {name: asdict(item) for name, item in space.items()},
        "devices": devices,
        "packages": packages,
        "extras": extras,
        "plugins": counts,
        "disabled": [str(record) for record in plugins.records if record.status == "disabled"],
        "variables": sorted(name for name in os.environ if name.startswith("FAS_")),
        "notes": [hide_paths(text) for text in notes],
        "problems": [hide_paths(text) for text in problems],
    }


def hide_paths(text: str) -> str:
    """Return a text with the last two parts of paths alone: they tell who and where somebody is."""
    if len(home := str(Path.home())) > 1:
        text = text.replace(home, "~")
    return PATH.sub(lambda match: _shorten(USER.sub("~", match[0])), text)


def _shorten(path: str) -> str:
    return "/".join(["...", *re.split(r"[/\\]", path)[-2:]])


def _check_packages() -> tuple[dict[str, str | None], dict[str, list[str]], list[str]]:
    """Return versions by package, what is wrong with each extra, and what is with fas's own packages."""
    from fas_core.cli.requirements import list_extras, read_packages

    try:
        base = read_packages()
        by_extra = {name: read_packages(name) for name in list_extras()}
    except PackageNotFoundError:
        return {}, {}, ["fas-core is not installed: only its files are found"]
    every = {item.name: item.version for group in (base, *by_extra.values()) for item in group}
    problems = [item.problem for item in base if item.problem]
    extras = {name: [item.problem for item in group if item.problem] for name, group in by_extra.items()}
    return dict(sorted(every.items(), key=lambda pair: pair[0].lower())), extras, problems


def _count_plugins(plugins: Registry) -> dict[str, int]:
    """Return the number of active plugins by distribution and version."""
    names = [str(record.provider) for record in plugins.records if record.status == "active"]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _format(report: dict[str, Any]) -> str:
    """Return the report in lines of at most 80 characters."""
    cpu, memory = report["cpu"], report["memory"]
    features = ", ".join(cpu["features"] or ()) or "features not known"
    missing = {name: problems for name, problems in report["extras"].items() if problems}
    rows = [
        ("fas", f"{report['fas']}, Python {report['python']}, {report['system']}"),
        ("cpu", f"{cpu['name']}: {features}; {cpu['cores']} of {cpu['of']} cores"),
        ("memory", "not known" if memory is None else _format_space(memory)),
        ("free", _format_spaces(report["space"])),
        ("devices", "; ".join(f"{name}: {', '.join(d) or 'none'}" for name, d in report["devices"].items())),
        ("packages", ", ".join(f"{name} {text}" for name, text in report["packages"].items() if text)),
        ("extras", ", ".join(name for name in report["extras"] if name not in missing) or "none"),
        *(("missing", f"{name}: {', '.join(why)}: {_install(name)}") for name, why in missing.items()),
        ("plugins", ", ".join(f"{count} of {name}" for name, count in report["plugins"].items())),
        *(("disabled", text) for text in report["disabled"]),
        ("set", ", ".join(report["variables"]) or "no variables FAS_..."),
        *(("note", text) for text in report["notes"]),
        *(("broken", text) for text in report["problems"] or ["nothing"]),
    ]
    return "\n".join(_wrap(label, text) for label, text in rows)


def _format_space(item: dict[str, float]) -> str:
    return f"{item['free']:.3g} of {item['total']:.3g} GB"


def _format_spaces(spaces: dict[str, dict[str, float]]) -> str:
    """Return free and total space, once for places in one file system."""
    places: dict[str, list[str]] = {}
    for name, item in spaces.items():
        places.setdefault(_format_space(item), []).append(name)
    return "; ".join(f"{text} ({', '.join(names)})" for text, names in places.items())


def _install(extra: str) -> str:
    return f"pip install 'fas-core[{extra}]'"


def _wrap(label: str, text: str) -> str:
    return fill(
        f"{label:{LABEL}}{text}",
        WIDTH,
        subsequent_indent=" " * LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )
