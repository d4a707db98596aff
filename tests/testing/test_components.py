"""Components as recipes name them, for the tests of plugins."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import field, frozen
from attrs import validators as v

from fas_core import ConfigError, DataError, Dataset, Loss, Metric, PluginError, SampleTable
from fas_core.testing import find_component, open_dataset, read_options


@frozen
class LabOptions:
    protocol: str = field(default="all", validator=v.in_(("all", "day")))


@frozen
class Lab:
    """A data set of one photo, which is made in its folder."""

    options: LabOptions
    root: Path

    def prepare(self) -> None:
        (self.root / "made").touch()

    def splits(self) -> tuple[str, ...]:
        return (self.options.protocol,)

    def samples(self, split: str) -> SampleTable:
        return SampleTable.of({"id": ["a"], "rgb": ["a.png"]}, modalities=("rgb",), root=self.root)


LAB = Dataset(name="lab", summary="", target=f"{__name__}:Lab", options=LabOptions)


def test_an_installed_component_is_found_by_its_kind_and_name() -> None:
    assert find_component(Loss, "focal").target == "fas_plugins.losses.focal:Focal"
    assert find_component(Loss, "fas-core:focal") == find_component(Loss, "focal")
    with pytest.raises(PluginError, match="metric 'focal': no plugin provides it"):
        find_component(Metric, "focal")


def test_options_are_those_of_a_recipe() -> None:
    assert read_options(LabOptions) == LabOptions()
    assert read_options(LabOptions, {"protocol": "day"}) == LabOptions("day")
    with pytest.raises(ConfigError, match=r"^LabOptions: protocol: .*'night'"):
        read_options(LabOptions, {"protocol": "night"})
    with pytest.raises(ConfigError, match=r"^LabOptions: protokol: unknown key"):
        read_options(LabOptions, {"protokol": "day"})


def test_a_data_set_that_is_not_installed_is_opened_and_made(tmp_path: Path) -> None:
    lab = open_dataset(LAB, tmp_path, protocol="day")
    assert (lab.splits(), lab.samples("day").root) == (("day",), tmp_path)
    assert (tmp_path / "made").exists()
    with pytest.raises(ConfigError, match="protocol"):
        open_dataset(LAB, tmp_path, protocol="night")


def test_an_installed_data_set_is_opened_by_name_root_or_layout(tmp_path: Path) -> None:
    manifest = tmp_path / "photos.csv"
    manifest.write_text("path,label\na.png,1\n")
    named = (open_dataset("manifest", manifest), open_dataset(f"manifest:{manifest}"))
    for reader in (
        *named,
        open_dataset(manifest),
        open_dataset(find_component(Dataset, "manifest"), manifest),
    ):
        assert reader.samples("test").column("id") == ["a.png"]
    assert open_dataset(manifest, modalities=["path"]).samples("test").modalities == ("path",)
    with pytest.raises(DataError, match="manifest': say where it lies"):
        open_dataset("manifest")
