"""The description for package indexes: README.md with absolute links, as an index has no other file of the
repository."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
LINK = re.compile(r"(!?)\[((?:!\[[^\]]*\]\([^)]*\)|[^\]])*)\]\((?!https?:|#)([^)]+)\)")


def write_description() -> str:
    """Return README.md, each relative link as an address below the repository's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project["urls"]["Repository"]

    def complete(link: re.Match[str]) -> str:
        kind = "raw" if link[1] else "blob"
        return f"{link[1]}[{LINK.sub(complete, link[2])}]({repository}/{kind}/HEAD/{link[3]})"

    return LINK.sub(complete, (ROOT / "README.md").read_text(encoding="utf-8"))


setup(long_description=write_description(), long_description_content_type="text/markdown")
