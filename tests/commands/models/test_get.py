"""`fas models get`, `list --public` and `remove`, from a server on this machine and made-up models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from fixtures.public_models import Publisher, brightness_network

from fas_core import FasError, Predictor
from fas_core.registry import registry
from fas_core.runtime.public_model import PublicModel, read_catalogues
from fas_plugins.commands.models import public_store

Fas = Callable[..., Result]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def get(fas: Fas, *arguments: object) -> Result:
    return fas("models", "get", *arguments, "--accept-licence")


def test_a_model_is_fetched_from_a_mirror_with_its_terms(
    fas: Fas, publisher: Publisher, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = brightness_network()
    publisher.publish("glow", content)
    monkeypatch.setenv("FAS_MODELS_URL", publisher.base + "/")
    result = get(fas, "glow")
    assert result.exit_code == 0, result.stderr
    assert (models / "glow/glow-0.onnx").read_bytes() == content
    assert PublicModel.read(models / "glow").files[0].terms.live == 0
    assert "fas predict public:glow photo.jpg" in result.stdout
    assert publisher.requests == ["/glow/glow-0.onnx"]
    assert "at hand already" in get(fas, "glow").stdout  # without a request
    assert len(publisher.requests) == 1
    assert {path.name for path in models.iterdir()} == {"glow", "licences.yaml"}


def test_a_flipped_bit_of_what_was_fetched_is_seen(fas: Fas, publisher: Publisher, models: Path) -> None:
    publisher.publish("glow", brightness_network())
    assert get(fas, "glow", "--from", f"{publisher.base}/glow/").exit_code == 0
    path = models / "glow" / "glow-0.onnx"
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        FasError, match=r"glow-0.onnx: damaged: is not what was fetched: fas models get fetches"
    ):
        Predictor("public:glow")
    assert get(fas, "glow", "--from", f"{publisher.base}/glow/").exit_code == 0
    Predictor("public:glow")


def test_the_proxy_is_that_of_the_platform(
    fas: Fas, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server plays the proxy: it is asked for whole addresses of a host that does not exist."""
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    publisher.publish("glow", brightness_network())
    address = "http://models.invalid/glow/glow-0.onnx"
    publisher.answers[address] = (200, {}, brightness_network())
    monkeypatch.setenv("http_proxy", publisher.base)
    monkeypatch.setenv("FAS_MODELS_URL", "http://models.invalid")
    assert get(fas, "glow").exit_code == 0
    assert fas("models", "remove", "glow").exit_code == 0
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("FAS_MODELS_URL", publisher.base)
    assert get(fas, "glow").exit_code == 0
    assert publisher.requests == [address, "/glow/glow-0.onnx"]


def test_sources_that_the_user_names(fas: Fas, publisher: Publisher, models: Path, tmp_path: Path) -> None:
    publisher.publish("pair", brightness_network(), brightness_network(0.5))
    folder = publisher.folder(tmp_path / "copy")
    for origin in (folder, f"{publisher.base}/pair/", f"{publisher.base}/pair"):
        assert get(fas, "pair", "--from", origin).exit_code == 0
        assert len(list((models / "pair").glob("*.onnx"))) == 2
        assert fas("models", "remove", "public:pair").exit_code == 0
        assert not (models / "pair").exists()
    result = get(fas, "pair", "--from", folder / "pair-0.onnx")
    assert result.exit_code == 2
    assert "has several files: give the folder that holds pair-0.onnx, pair-1.onnx" in result.stderr
    publisher.publish("glow", brightness_network())
    assert get(fas, "glow", "--from", f"{publisher.base}/glow/glow-0.onnx").exit_code == 0


def test_another_file_is_refused(fas: Fas, publisher: Publisher, models: Path) -> None:
    content = brightness_network()
    publisher.publish("glow", content)
    path = "/glow/glow-0.onnx"
    for answer, message in (
        (content[:-1] + b"x", "its SHA-256 is not that of glow in the catalogue: not stored"),
        (content + b"x", f"larger than the {len(content):,} bytes of glow: not stored"),
        (content[:-1], f"{len(content) - 1:,} of the {len(content):,} bytes of glow: not stored"),
    ):
        publisher.answers[path] = (200, {}, answer)
        result = get(fas, "glow", "--from", publisher.base + path)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert message in result.stderr
        assert not (models / "glow").exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, {}, b""), "cannot be fetched (the host answered 404 Not Found): check the network"),
        (
            (302, {"Location": "file:///etc/passwd"}, b""),
            "Redirection to url 'file:///etc/passwd' is not allowed",
        ),
        ((200, {"Content-Length": "9999999"}, b"short"), "5 of the "),
    ],
)
def test_a_failing_host_is_one_line(
    fas: Fas, publisher: Publisher, models: Path, answer: tuple[int, dict[str, str], bytes], message: str
) -> None:
    publisher.publish("glow", brightness_network())
    publisher.answers["/glow/glow-0.onnx"] = answer
    result = get(fas, "glow", "--from", f"{publisher.base}/glow/")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr
    assert not (models / "glow").exists()


def test_without_a_network_a_line_says_what_to_do(
    fas: Fas, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish("glow", brightness_network())
    monkeypatch.setenv("FAS_MODELS_URL", "http://127.0.0.1:1")
    result = get(fas, "glow")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "Connection refused" in result.stderr
    assert "fas models get glow --from FILE" in result.stderr


def test_a_licence_is_accepted_once(fas: Fas, publisher: Publisher, models: Path) -> None:
    publisher.publish("glow", brightness_network(), notes="Made up.")
    origin = f"{publisher.base}/glow/"
    refused = fas("models", "get", "glow", "--from", origin)  # no terminal to ask in
    assert refused.exit_code == 2
    assert "licence MIT: https://models.example/LICENSE: accept it by --accept-licence" in refused.stderr
    assert publisher.requests == []
    accepted = get(fas, "glow", "--from", origin)
    assert "trained on nothing" in accepted.stdout
    assert "Made up." in accepted.stdout
    fas("models", "remove", "glow")
    again = fas("models", "get", "glow", "--from", origin)
    assert again.exit_code == 0
    assert "trained on" not in again.stdout
    fas("models", "remove", "glow")
    publisher.publish("glow", brightness_network(), licence="GPL-3.0-only")
    assert fas("models", "get", "glow", "--from", origin).exit_code == 2  # another licence


def test_a_terminal_is_asked(publisher: Publisher, monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    publisher.publish("glow", brightness_network())
    (model,) = [model for model in read_catalogues(registry()).values() if model.name == "glow"]
    monkeypatch.setattr(public_store, "is_terminal", lambda: True)
    questions: list[str] = []

    def answer(reply: bool) -> None:
        monkeypatch.setattr(public_store.click, "confirm", lambda text, **_: questions.append(text) or reply)

    answer(False)
    with pytest.raises(FasError, match="not accepted, so nothing was fetched"):
        public_store.ensure_accepted(model, accepted=False)
    assert not models.exists()
    answer(True)
    public_store.ensure_accepted(model, accepted=False)
    public_store.ensure_accepted(model, accepted=False)  # without a question
    assert len(questions) == 2
    assert "licence MIT: https://models.example/LICENSE" in questions[0]


def test_a_damaged_copy_is_fetched_anew(fas: Fas, publisher: Publisher, models: Path) -> None:
    publisher.publish("glow", brightness_network())
    assert get(fas, "glow", "--from", f"{publisher.base}/glow/").exit_code == 0
    file = models / "glow/glow-0.onnx"
    file.write_bytes(b"damaged")
    assert get(fas, "glow", "--from", f"{publisher.base}/glow/").exit_code == 0
    assert file.read_bytes() == brightness_network()


def test_all_models_are_listed(fas: Fas, publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish("glow", brightness_network(), licence="NOASSERTION")
    get(fas, "glow", "--from", publisher.folder(tmp_path / "copy"))
    for arguments in (("get",), ("list", "--public")):
        result = fas("models", *arguments)
        assert result.exit_code == 0
        rows = [line for line in result.stdout.splitlines() if line.startswith("glow")]
        assert "none stated" in rows[0]
        assert rows[0].endswith("yes")
    document = json.loads(fas("models", "list", "--public", "--json").stdout)
    fetched = {item["name"]: item["fetched"] for item in document["models"]}
    assert fetched["glow"] is True
    assert fetched["hairymax-binary"] is False
    assert fetched["centerface"] is False


def test_unknown_names(fas: Fas, publisher: Publisher) -> None:
    publisher.publish("glow", brightness_network())
    result = fas("models", "get", "glwo")
    assert "glwo: no public model (did you mean 'glow'?)" in result.stderr
    assert "glow: not fetched" in fas("models", "remove", "glow").stderr


def test_a_checkpoint_needs_its_plugin(fas: Fas, publisher: Publisher) -> None:
    publisher.publish("glow", brightness_network(), plugin="acme-networks")
    result = get(fas, "glow", "--from", f"{publisher.base}/glow/")
    assert result.exit_code == 2
    assert "pip install 'fas-core[train]' acme-networks" in result.stderr
    assert publisher.requests == []


@pytest.mark.long
def test_a_checkpoint_is_imported_and_exported(
    fas: Fas, publisher: Publisher, models: Path, tmp_path: Path
) -> None:
    import torch

    from fas_core.registry import registry
    from fas_plugins.commands.models.measure import NetworkSpec

    spec = NetworkSpec.of(registry(), "feathernet_b", ("rgb",), None, 32, 2)
    model = spec.build(registry())
    state = {f"module.{name}": value for name, value in model.backbones["rgb"].state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "glow-0.onnx")
    publisher.publish("glow", (tmp_path / "glow-0.onnx").read_bytes())
    (entry,) = publisher.entries["glow"]["files"]
    entry["url"] = "https://models.example/glow.pth"
    entry["import_options"] = ["--arch", "feathernet_b", "--modality", "rgb", "--set", "model.input_size=32"]
    entry["import_options"] += ["--match", "order"]
    publisher.write()
    (tmp_path / "glow-0.onnx").rename(tmp_path / "glow.pth")
    result = get(fas, "glow", "--from", tmp_path / "glow.pth")
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in (models / "glow").glob("*.onnx")] == ["glow.onnx"]
    assert Predictor("public:glow").card.input.face_size == 32
