"""Catalogues of public models, and the names by which commands take fetched ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.public_models import TERMS, Publisher, brightness_network

from fas_core import ConfigError, ModelError, PluginError
from fas_core.data.fetched_models import resolve_model
from fas_core.package_files import Catalogue
from fas_core.registry import registry
from fas_core.runtime.public_model import PublicModel, parse_catalogue, read_catalogues

FILE = {"url": "https://a.example/net.onnx", "sha256": "0" * 64, "size": 5, "terms": TERMS}
ENTRY: dict[str, Any] = {
    "summary": "brightness",
    "files": [FILE],
    "threshold": 0.5,
    "licence": "MIT",
    "licence_url": "https://a.example",
    "source": "https://a.example",
    "training_data": "nothing",
}


def test_the_shipped_catalogue_is_complete() -> None:
    models = read_catalogues(registry())
    assert {"facenox-minifas", "hairymax-binary", "hairymax-print-replay"} <= set(models)
    assert [file.terms.crops["rgb"].scale for file in models["silent-face"].files] == [2.7, 4.0]
    for model in models.values():
        assert model.source
        assert model.training_data
        assert all("/" + "raw.githubusercontent.com/" in file.url for file in model.files)
        assert model.notes or model.licence != "NOASSERTION"


def test_an_entry_is_read_as_it_was_stored(tmp_path: Path) -> None:
    model = parse_catalogue(yaml.safe_dump({"glow": ENTRY}), "test")["glow"]
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(model.to_plain()))
    assert PublicModel.read(tmp_path) == model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": None}, "glow: threshold: must be a number"),
        ({"files": []}, "glow: files"),
        ({"files": [FILE | {"url": "http://a.example/net.onnx"}]}, "must be an https address of a file"),
        ({"files": [FILE | {"url": "https://a.example/run.exe"}]}, "must be an https address of a file"),
        ({"files": [FILE | {"url": "https://a.example/..%5Cnet.onnx"}]}, "must be an https address of"),
        ({"files": [FILE | {"sha256": "0" * 63}]}, "sha256"),
        ({"files": [FILE, FILE]}, "must have different names"),
        ({"colour": 1}, "colour: unknown key"),
    ],
)
def test_an_invalid_entry_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_catalogue(yaml.safe_dump({"glow": ENTRY | change}), "test")


def test_a_catalogue_is_a_mapping_of_valid_names() -> None:
    with pytest.raises(ConfigError, match="must be a mapping"):
        parse_catalogue("[1]", "test")
    with pytest.raises(ConfigError, match=r"'\.\./x'"):
        parse_catalogue(yaml.safe_dump({"../x": ENTRY}), "test")


def test_two_catalogues_with_one_name_are_refused(publisher: Publisher) -> None:
    publisher.publish("hairymax-binary", brightness_network())
    with pytest.raises(ConfigError, match=r"'hairymax-binary': in .* and in "):
        read_catalogues(registry())


def test_a_target_is_a_file_that_exists(publisher: Publisher) -> None:
    with pytest.raises(PluginError, match=r"must read 'package:file\.yaml'"):
        Catalogue(name="acme", summary="", target="acme:models")
    publisher.publish("glow", brightness_network())
    (publisher.here.site.path / "acme_models/models.yaml").unlink()
    with pytest.raises(PluginError, match=r"catalogue 'acme' of acme-fas .* failed: FileNotFoundError"):
        read_catalogues(registry())


def test_names_of_models(
    publisher: Publisher, fas: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    publisher.publish("glow", brightness_network())
    with pytest.raises(ModelError, match="public:glow: not fetched: `fas models get glow` fetches it"):
        resolve_model("public:glow")
    assert resolve_model("glow") == Path("glow")  # a path that does not exist
    fas("models", "get", "glow", "--accept-licence", "--from", f"{publisher.base}/glow/")
    assert resolve_model("public:glow") == tmp_path / "models/glow"
    assert resolve_model("glow") == tmp_path / "models/glow"
    Path("glow").mkdir()
    assert resolve_model("glow") == Path("glow")  # a path comes first
    with pytest.raises(ModelError, match="not fetched"):
        resolve_model("public:../glow")
