"""Pages of the repository that belong on the site too: changes, security, contributing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = {"CHANGELOG.md": "changelog", "SECURITY.md": "security", "CONTRIBUTING.md": "contributing"}
LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")


def write_project_pages() -> Mapping[str, str]:
    """Return `project/NAME.md` of each file, its links as they are from there."""
    return {
        f"project/{name}.md": LINK.sub(_move, (ROOT / file).read_text(encoding="utf-8"))
        for file, name in FILES.items()
    }


def _move(link: re.Match[str]) -> str:
    path, hash_, anchor = link[1].partition("#")
    if path in FILES:
        return f"]({FILES[path]}.md{hash_}{anchor})"
    assert path.startswith("docs/"), f"a link to {path}, which is not on the site"
    return f"](../{path.removeprefix('docs/')}{hash_}{anchor})"
