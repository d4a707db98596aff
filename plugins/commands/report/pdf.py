"""Print a page as PDF, by a Chromium or Chrome that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from fas_core.atomic import replacing
from fas_core.errors import FasError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Names of the programs, the first that is on PATH prints."""

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-pdf-header-footer",
)

SECONDS = 300
"""The longest that a page of many photos may take."""


def find_browser() -> str:
    """Return the path of a browser that prints.

    Raises:
        FasError: there is none.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise FasError(
            f"--pdf: none of {', '.join(BROWSERS)} is on PATH: install Chromium (apt install chromium, "
            f"brew install --cask chromium), or open the HTML file in any browser and print it"
        )
    return browser


def print_page(browser: str, page: Path, pdf: Path) -> None:
    """Print an HTML file to a PDF file.

    Raises:
        FasError: the browser fails, or the file cannot be written.
    """
    # As root, which Chromium's sandbox refuses, the page is still held by its Content-Security-Policy.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with TemporaryDirectory() as profile, replacing(pdf) as temporary:
        command = [browser, *FLAGS, *as_root, f"--user-data-dir={profile}"]
        command += [f"--print-to-pdf={temporary.resolve()}", page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FasError(f"{browser}: cannot print {page}: {error}") from error
        if done.returncode or not temporary.is_file():
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise FasError(f"{browser}: cannot print {page}: {lines[-1] if lines else 'no reason given'}")
