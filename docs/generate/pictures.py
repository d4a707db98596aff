"""Pictures of the README and of the site, made anew by `PYTHONPATH=docs python -m generate.pictures`.

`console.svg` is what a terminal shows of `fas score` on made-up scores of three species; `report.png` is
the page that `fas report` writes of the same files, and `serve.png` that of `fas serve` with a public model,
both in headless Chromium.
"""

from __future__ import annotations

import os
import pty
import shutil
import struct
import subprocess
import sys
from contextlib import suppress
from fcntl import ioctl
from io import StringIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from termios import TIOCSWINSZ
from time import sleep
from urllib.request import urlopen

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

FOLDER = Path(__file__).parents[1] / "images"
COLUMNS, LINES = 86, 80
MODEL, PORT = "public:facenox-minifas", 8943
COMMAND = ("score", "vendor.csv", "--dev", "vendor-dev.csv")
MEANS = {"live": 0.74, "print": 0.22, "replay": 0.30, "mask": 0.42}
"""Mean score of each species of the made-up system; the deviation is the same for all."""
DEVIATION = 0.13
THEME = TerminalTheme(
    (13, 17, 23),
    (214, 221, 230),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)

FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"
height="{height}" role="img">
<title>What fas score prints</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own frame without the addresses of web fonts."""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        write_scores(Path(folder))
        (FOLDER / "console.svg").write_text(draw_console(Path(folder)), encoding="utf-8")
        draw_report(Path(folder))
    draw_page()


def write_scores(folder: Path) -> None:
    """Write scores of test and dev: 20 people, 12 live photos of each and 6 attacks of each species."""
    random = Random(14)
    for name, split in (("vendor", "test"), ("vendor-dev", "dev")):
        rows = ["id,score,label,species,subject"]
        for person in range(20):
            shift = random.gauss(0, 0.05)
            for species, mean in MEANS.items():
                for number in range(12 if species == "live" else 6):
                    score = min(max(random.gauss(mean + shift, DEVIATION), 0), 1)
                    label = int(species == "live")
                    rows.append(
                        f"{split}/{person}/{species}/{number},{score:.5f},{label},{species},{split}{person}"
                    )
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def run_in_terminal(folder: Path) -> str:
    """Return what the command prints in a terminal of `COLUMNS`, with its colours as escape codes.

    The bar of progress, on stderr, is left out: its speed is another one each time.
    """
    primary, secondary = pty.openpty()
    ioctl(secondary, TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "fas_core", *COMMAND]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=secondary, stderr=subprocess.DEVNULL
    ) as process:
        os.close(secondary)
        output = b""
        while chunk := _read(primary):
            output += chunk
    os.close(primary)
    assert process.returncode == 0, output.decode()
    return output.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    """Return the next output of a terminal; nothing when its last process has ended."""
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so with EIO
        return b""


def draw_console(folder: Path) -> str:
    """Return the command and what it prints as SVG."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text.assemble(("$ ", "green"), ("fas " + " ".join(COMMAND), "bold")))
    console.print(Text.from_ansi(run_in_terminal(folder)))
    return console.export_svg(title="fas", theme=THEME, code_format=FRAME, unique_id="fas")


def draw_report(folder: Path) -> None:
    """Write the first screen of the report of the same files."""
    report = ["report", *COMMAND[1:], "-o", "report.html"]
    subprocess.run([sys.executable, "-m", "fas_core", *report], cwd=folder, check=True)
    photograph(str(folder / "report.html"), "report", 1100, 1480)


def draw_page() -> None:
    """Write the page of the service of a public model, which `fas models get` has fetched before."""
    serve = [sys.executable, "-m", "fas_core", "serve", MODEL, "--port", str(PORT)]
    with subprocess.Popen(serve) as service:
        try:
            wait_for(service)
            photograph(f"http://127.0.0.1:{PORT}", "serve", 800, 560)
        finally:
            service.terminate()


def wait_for(service: subprocess.Popen[bytes]) -> None:
    """Wait until the service is ready; stop if it ends instead."""
    while service.poll() is None:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{PORT}/ready", timeout=5):
            return
        sleep(0.2)
    raise SystemExit(f"fas serve {MODEL} ended; fetch the model: fas models get facenox-minifas")


def photograph(address: str, name: str, width: int, height: int) -> None:
    """Write a picture of a page in headless Chromium."""
    chromium = shutil.which("chromium") or "chromium"
    flags = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"]
    command = [chromium, *flags, f"--screenshot={FOLDER / name}.png", address]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
