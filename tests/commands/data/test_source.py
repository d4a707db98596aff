"""The data set of a `fas data` command, with options of `--set`."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.errors import ConfigError
from fas_plugins.commands.data.source import open_source


def test_options_are_those_of_the_data_set(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("thermal,label\na.png,1\n")
    reader = open_source(str(tmp_path / "m.csv"), ("modalities=[thermal]",))
    assert reader.samples("test").modalities == ("thermal",)
    with pytest.raises(ConfigError, match="protocol: unknown key"):
        open_source(str(tmp_path / "m.csv"), ("protocol=1",))


def test_a_protocol_may_be_a_number(tmp_path: Path) -> None:
    (tmp_path / "Protocols/Protocol_1").mkdir(parents=True)
    (tmp_path / "Protocols/Protocol_1/Train.txt").write_text("+1,1_1_01_1\n")
    reader = open_source(f"oulu_npu:{tmp_path}", ("protocol=1",))
    assert reader.splits() == ("train",)
