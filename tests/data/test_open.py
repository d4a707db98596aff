from pathlib import Path

import pytest

from fas_core import ConfigError, DataError, Dataset, __version__
from fas_core.config.components import DatasetChoice
from fas_core.console import console
from fas_core.data.open import (
    identify_dataset,
    is_unknown_folder,
    open_choice,
    open_dataset,
    replace_dataset,
    resolve_dataset,
)
from fas_core.failures import Provider
from fas_core.registry import PluginRecord, Registry, registry


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["live/a.jpg"], "folder"),
        (["train/live/a.jpg", "test/live/a.jpg"], "folder"),
        (["client_train_raw.txt", "manifest.csv"], "nuaa"),
        (["train_list.txt"], "casia_surf"),
        (["val_public_list.txt"], "casia_surf"),
        (["Protocols/Protocol_3/Dev_2.txt"], "oulu_npu"),
        (["Train_files/1_1_01_1.avi"], "oulu_npu"),
        (["test/attack/fixed/a.mov", "test/real/b.mov"], "replay_attack"),
        (["train_sub_list.txt", "test_sub_list.txt", "scene01/attack/a.mov"], "msu_mfsd"),
        (["LCC_FASD_evaluation/real_1.png"], "lcc_fasd"),
        (["metas/protocol2/test_on_low_quality_device/test_label.json"], "celeba_spoof"),
        (["documentation/PROTOCOL-grandtest.csv"], "wmca"),
    ],
)
def test_layouts_are_recognised(tmp_path: Path, files: list[str], name: str) -> None:
    touch(*(tmp_path / file for file in files))
    choice = resolve_dataset(str(tmp_path), None, registry())
    assert (choice.name, choice.root) == (name, tmp_path)


@pytest.mark.parametrize("file", ["m.csv", "M.CSV", "m.tsv", "m.parquet"])
def test_tables_are_recognised(tmp_path: Path, file: str) -> None:
    touch(tmp_path / file)
    assert resolve_dataset(str(tmp_path / file), None, registry()).name == "manifest"


def test_a_name_with_and_without_a_root(tmp_path: Path) -> None:
    assert resolve_dataset("synthetic", None, registry()).root is None
    choice = resolve_dataset(f"nuaa:{tmp_path}", {"protocol": "official"}, registry())
    assert (choice.name, choice.root, choice.options.protocol) == ("nuaa", tmp_path, "official")


def test_what_looks_like_two_data_sets_wants_a_name(tmp_path: Path) -> None:
    touch(tmp_path / "train_list.txt", tmp_path / "live/a.jpg")
    with pytest.raises(DataError, match=rf"write casia_surf:{tmp_path} or folder:{tmp_path}"):
        open_dataset(str(tmp_path), None, registry())
    assert not is_unknown_folder(str(tmp_path), registry())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Real/a.jpg", "folder"),
        ("spoofs/print/a.jpg", "folder"),
        ("Training/genuine/a.jpg", "folder"),
        ("eval/bona-fide/a.jpg", "folder"),
        ("devel/attack/fixed/clip/1.jpg", "replay_attack"),
    ],
)
def test_folders_are_recognised_by_any_word_for_a_class_or_split(
    tmp_path: Path, path: str, name: str
) -> None:
    touch(tmp_path / path)
    assert resolve_dataset(str(tmp_path), None, registry()).name == name


def test_an_unknown_folder_is_described_by_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path / "train/0/a.jpg", tmp_path / "photos/b.jpg")
    with pytest.raises(
        DataError, match=r"it holds photos/, train/: .*\(live, real, .*spoof.*train, training or dev"
    ):
        open_dataset(str(tmp_path), None, registry())


def test_what_looks_like_none_wants_a_name(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    for path, reason in (
        (
            tmp_path,
            r"looks like no known data set: it holds a\.jpg: name the folders of .* by class \(live, real",
        ),
        (tmp_path / "a.jpg", r"no data set is read from such a file: give a folder"),
    ):
        with pytest.raises(
            DataError, match=f"{reason}.*; or write NAME:{path}, where NAME is one of casia_surf"
        ):
            open_dataset(str(path), None, registry())
    assert is_unknown_folder(str(tmp_path), registry())
    assert not is_unknown_folder(str(tmp_path / "a.jpg"), registry())


def test_another_data_set_takes_over_the_names_of_modalities(tmp_path: Path) -> None:
    touch(tmp_path / "m.csv")
    own = resolve_dataset(f"folder:{tmp_path}", {"modalities": ["thermal", "nir"]}, registry())
    other = replace_dataset(str(tmp_path / "m.csv"), own, registry())
    assert other.options.modalities == ("thermal", "nir")
    assert replace_dataset(f"nuaa:{tmp_path}", own, registry()).options.protocol == "subject_disjoint"
    nuaa = resolve_dataset(f"nuaa:{tmp_path}", None, registry())
    assert replace_dataset(str(tmp_path / "m.csv"), nuaa, registry()).options.modalities == (
        "rgb",
        "depth",
        "ir",
    )


def test_a_slip_of_the_pen_is_answered_with_the_closest_name() -> None:
    with pytest.raises(
        DataError, match=r"casia_sruf:/x: neither a data set \(did you mean 'casia_surf'\?\) nor a"
    ):
        open_dataset("casia_sruf:/x", None, registry())


def test_a_root_must_be_given_and_be_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'casia_surf': say where it lies, as casia_surf:ROOT"):
        open_dataset("casia_surf", None, registry())
    with pytest.raises(DataError, match=r"none: no such file or folder, given as the root of 'nuaa'"):
        open_dataset(f"nuaa:{tmp_path / 'none'}", None, registry())


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nuaa: protocol: must be one of 'official', 'subject_disjoint': "):
        open_dataset(f"nuaa:{tmp_path}", {"protocol": "best"}, registry())
    with pytest.raises(ConfigError, match=r"nuaa: protocl: unknown key \(did you mean 'protocol'\?\)"):
        open_dataset(f"nuaa:{tmp_path}", {"protocl": "official"}, registry())


def test_a_data_set_that_makes_its_data_is_prepared(tmp_path: Path) -> None:
    options = resolve_dataset("synthetic", {"subjects": 9, "shots": 1, "size": 48}, registry()).options
    reader = open_choice(DatasetChoice("synthetic", options, tmp_path / "made"), registry())
    assert reader.samples("train").path(0, "ir").is_file()


def test_of_a_name_that_two_plugins_provide_fas_cores_own_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    touch(tmp_path / "live/a.jpg")
    stranger = Dataset(name="folder", summary="another", target="acme.data:Folder", markers=("live",))
    other = PluginRecord("data", "acme", "1.0", "active", components=(stranger,))
    both = Registry((*registry().records, other))
    console.reset()
    assert identify_dataset(str(tmp_path), both)[0].provider == Provider("fas-core", __version__)
    assert "not that of plugin 'data' of acme 1.0: write acme:folder for it" in capsys.readouterr().err
    component, root = identify_dataset(f"acme:folder:{tmp_path}", both)
    assert (component, root) == (stranger, tmp_path)
    assert resolve_dataset(f"acme:folder:{tmp_path}", None, both).name == "acme:folder"


def test_a_layout_that_only_the_other_plugin_knows_is_its(tmp_path: Path) -> None:
    touch(tmp_path / "theirs.json")
    stranger = Dataset(name="folder", summary="", target="acme.data:Folder", markers=("theirs.json",))
    both = Registry(
        (*registry().records, PluginRecord("data", "acme", "1.0", "active", components=(stranger,)))
    )
    assert resolve_dataset(str(tmp_path), None, both).name == "acme:folder"
