"""Options of the data sets as recipes set them: defaults, and values that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from fas_core import ConfigError
from fas_core.testing import read_options
from fas_plugins.datasets.options import (
    CasiaSurfOptions,
    CefaOptions,
    CelebaSpoofOptions,
    FolderOptions,
    ManifestOptions,
    NuaaOptions,
    OuluNpuOptions,
    ReplayAttackOptions,
    WmcaOptions,
)


@pytest.mark.parametrize(
    ("options", "defaults"),
    [
        (CasiaSurfOptions, {"lists": "."}),
        (CefaOptions, {"protocol": "4@all"}),
        (CelebaSpoofOptions, {"protocol": "intra_test", "boxes": True}),
        (FolderOptions, {"modalities": ("rgb", "depth", "ir")}),
        (ManifestOptions, {"modalities": ("rgb", "depth", "ir")}),
        (NuaaOptions, {"protocol": "subject_disjoint"}),
        (OuluNpuOptions, {"protocol": "all"}),
        (ReplayAttackOptions, {"protocol": "grandtest", "support": "all"}),
        (WmcaOptions, {"protocol": "grandtest"}),
    ],
)
def test_defaults(options: type, defaults: dict[str, Any]) -> None:
    assert read_options(options, {}) == options(**defaults)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (CasiaSurfOptions, {"lists": "lists/phase2"}),
        (CefaOptions, {"protocol": "4@2"}),
        (CelebaSpoofOptions, {"protocol": "1", "boxes": False}),
        (NuaaOptions, {"protocol": "official"}),
        (OuluNpuOptions, {"protocol": "3@6"}),
        (ReplayAttackOptions, {"protocol": "print", "support": "hand"}),
        (WmcaOptions, {"protocol": "LOO_glasses"}),
    ],
)
def test_values_of_a_recipe(options: type, values: dict[str, Any]) -> None:
    assert read_options(options, values) == options(**values)


@pytest.mark.parametrize("options", [FolderOptions, ManifestOptions])
def test_modalities_are_a_list_in_recipes(options: type) -> None:
    assert read_options(options, {"modalities": ["ir"]}) == options(modalities=("ir",))


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (CasiaSurfOptions, {"lists": 1}),
        (CefaOptions, {"protocol": "4@4"}),
        (CelebaSpoofOptions, {"protocol": "2"}),
        (CelebaSpoofOptions, {"boxes": "yes"}),
        (FolderOptions, {"modalities": []}),
        (FolderOptions, {"modalities": ["RGB"]}),
        (FolderOptions, {"modalities": ["near_ir"]}),
        (FolderOptions, {"modalities": [""]}),
        (ManifestOptions, {"modalities": []}),
        (ManifestOptions, {"modalities": [1]}),
        (NuaaOptions, {"protocol": "all"}),
        (OuluNpuOptions, {"protocol": "3"}),
        (OuluNpuOptions, {"protocol": "4@7"}),
        (ReplayAttackOptions, {"support": "tripod"}),
        (WmcaOptions, {"protocol": "LOO_Glasses"}),
        (WmcaOptions, {"protocols": "grandtest"}),
    ],
)
def test_wrong_values_are_refused_with_their_path(options: type, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"^{options.__name__}: {next(iter(values))}"):
        read_options(options, values)
