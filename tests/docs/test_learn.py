"""`docs/learn/`: the commands of each page run one after the other in one folder, as a newcomer runs them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from fixtures import documented as data
from fixtures.code_blocks import learn_pages, read_blocks
from fixtures.running import run_script

SMALL = "--epochs 1 -b 8 -j 0 --device cpu --input-size"


@frozen
class Page:
    """What a page needs.

    Args:
        build: functions that write what its reader has into the folder.
        leave_out: lines that need the network; the tests run where fas is installed.
        replace: texts of the page -> what stands for them.
        input_size: of every training.
    """

    build: tuple[data.Build, ...]
    leave_out: tuple[str, ...] = ()
    replace: Mapping[str, str] = {}
    input_size: int = 64


PAGES = {
    "docs/learn/ten-minutes.md": Page(
        (data.public_model,),
        leave_out=("python3 -m venv .venv && . .venv/bin/activate", "pip install ."),
        replace={
            "facenox-minifas --accept-licence": "acme-door --accept-licence --from published",
            "facenox-minifas": "acme-door",
        },
    ),
    "docs/learn/own-model.md": Page((data.people_photos,)),
    "docs/learn/from-feathernets.md": Page(
        (data.checkpoints, data.old_config),
        leave_out=('pip install -c constraints.txt ".[train]"',),
        replace={"make CASIA-SURF": "make CASIA-SURF --set subjects=9 --set shots=1 --set size=64"},
        input_size=128,  # MobileLiteNet54 takes no less
    ),
}
QUICK = "docs/learn/ten-minutes.md"
"""Trains nothing."""


def test_every_page_is_run() -> None:
    assert sorted(PAGES) == learn_pages()


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[] if page == QUICK else [pytest.mark.long]) for page in PAGES]
)
def test_a_page_works_from_first_to_last_command(
    page: str, tmp_path: Path, photo_with: Callable[..., data.Image]
) -> None:
    rng = np.random.default_rng(14)

    def draw(live: bool, number: int) -> data.Image:
        photo = photo_with((160 + number, 120, 60)) - rng.integers(0, 8, (240, 320, 3), np.uint8)
        return photo if live else photo // 2

    needs = PAGES[page]
    for build in needs.build:
        build(tmp_path, draw)
    text = "".join(block.text for block in read_blocks(page) if block.language == "sh")
    for line in needs.leave_out:
        assert f"{line}\n" in text
        text = text.replace(f"{line}\n", "", 1)
    for old, new in needs.replace.items():
        assert old in text
        text = text.replace(old, new)
    sys.stdout.write(run_script(text, f"{SMALL} {needs.input_size}", tmp_path))  # the transcript: pytest -s
