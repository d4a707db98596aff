"""`fas report --pdf`, with a browser that is a script, and without any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from fixtures.browsers import CHROMIUM, MISSING

Fas = Callable[..., Result]
FEW = ("--replicates", "5", "--worst", "0", "--threshold", "fixed:0.5")
BROWSER = """#!/bin/sh
for argument; do
  case $argument in --print-to-pdf=*) printf '%%PDF-1.4 %s' "$*" > "${argument#--print-to-pdf=}";; esac
done
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`install(script)`: make it the only program on PATH beside the shell's, under the name `chromium`."""

    def install_script(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        if script:
            (folder / "chromium").write_text(script)
            (folder / "chromium").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install_script


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "vendor.csv"
    path.write_text("id,score,label\na,0.9,1\nb,0.2,0\nc,0.7,0\n")
    return path


def test_the_page_is_printed(fas: Fas, scores: Path, tmp_path: Path, install: Callable[[str], None]) -> None:
    install(BROWSER)
    page, pdf = tmp_path / "report.html", tmp_path / "out" / "report.pdf"
    result = fas("report", scores, "-o", page, "--pdf", pdf, *FEW)
    assert result.exit_code == 0, result.output
    assert f"printed to {pdf}" in result.stdout
    content = pdf.read_text()
    assert content.startswith("%PDF-1.4")
    assert content.endswith(page.as_uri())


def test_without_a_browser_a_line_says_what_to_install(
    fas: Fas, scores: Path, tmp_path: Path, install: Callable[[str], None]
) -> None:
    install("")
    result = fas("report", scores, "-o", tmp_path / "report.html", "--pdf", tmp_path / "report.pdf", *FEW)
    assert result.exit_code == 2
    assert "install Chromium (apt install chromium" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "report.html").exists()


def test_a_browser_that_fails(fas: Fas, scores: Path, tmp_path: Path, install: Callable[[str], None]) -> None:
    install("#!/bin/sh\necho 'no display' >&2\nexit 1\n")
    result = fas("report", scores, "-o", tmp_path / "report.html", "--pdf", tmp_path / "report.pdf", *FEW)
    assert result.exit_code == 2
    assert "no display" in result.stderr
    assert not (tmp_path / "report.pdf").exists()


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_chromium_prints_it(fas: Fas, scores: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "report.pdf"
    result = fas("report", scores, "-o", tmp_path / "report.html", "--pdf", pdf, *FEW)
    assert result.exit_code == 0, result.output
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(content) > 10_000
