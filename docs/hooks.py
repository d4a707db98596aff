"""What mkdocs does besides: it takes generated pages, and draws figures into the page itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from generate import write_pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

FIGURE = re.compile(r"^!\[([^\]]*)\]\(((?:\w+/)*figures/\w[\w-]*\.svg)\)$", re.MULTILINE)
COMMANDS = "reference/commands/"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the page of every command below the list of commands."""
    config.extra["generated"] = pages = write_pages()
    commands = [page for page in pages if page.startswith(COMMANDS)]  # the list of commands is the first
    reference = next(section["Reference"] for section in config.nav or () if "Reference" in section)
    listing = next(entry for entry in reference if "Commands" in entry)
    listing["Commands"] = commands
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path, text in config.extra["generated"].items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, **_: Any) -> str:
    """Put the figures that `generate.figures` drew into the page itself: as files they have no dark mode."""
    folder = (Path(config.docs_dir) / page.file.src_uri).parent

    def inline(match: re.Match[str]) -> str:
        drawing = (folder / match[2]).read_text(encoding="utf-8")
        drawing = re.sub(r"<style>.*?</style>", "", drawing, flags=re.DOTALL)
        return f'<figure class="drawing">\n{drawing.strip()}\n<figcaption>{match[1]}</figcaption>\n</figure>'

    return FIGURE.sub(inline, markdown)
