"""ExecuTorch's programs: scores, card, trust. Long where ExecuTorch has to be there."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core import DataError, FasError, ModelError, ModelFile
from fas_core.digests import check_model_file, seal_model_file
from fas_core.testing import check_exporter, check_runtime, score_images, verify_on
from fas_plugins.exporters import executorch as exporter
from fas_plugins.exporters.options import ExecuTorchOptions

MODALITIES = ("rgb", "depth")
TRUSTED = "FAS_TRUSTED_RUNTIMES"
needs_executorch = pytest.mark.skipif(
    find_spec("executorch") is None, reason="the extra executorch is not installed"
)


@pytest.mark.long
@needs_executorch
@pytest.mark.parametrize("partial", [False, True])
def test_scores_as_the_model_does(
    partial: bool,
    make_model: Any,
    faces: Any,
    make_card: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    model, images = make_model(MODALITIES, partial=partial), faces(MODALITIES, 5)
    path, card = tmp_path / "model.pte", make_card(MODALITIES, partial=partial)
    done = exporter.export(ExecuTorchOptions(), model, images, path, card, verify_on(model, images))
    assert done.verification.max_difference <= 1e-5
    assert [path.name for path in tmp_path.iterdir()] == ["model.pte"]
    assert b"/exporters/" not in path.read_bytes()  # no paths of the code
    monkeypatch.setenv(TRUSTED, "executorch")
    file = ModelFile(path, threads=1)
    assert file.card == card
    for count in (5, 1):
        some = {name: pixels[:count] for name, pixels in images.items()}
        np.testing.assert_allclose(file(some), score_images(model, images)[:count], atol=1e-5)
    assert {name: values.shape for name, values in file.outputs(images).items()} == {
        "score": (5,),
        "logits": (5, 2),
    }
    if partial:
        presence = np.array([[True, False]] * 5)
        np.testing.assert_allclose(file(images, presence), score_images(model, images, presence), atol=1e-5)
    assert capfd.readouterr().out == ""


@pytest.mark.long
@needs_executorch
def test_a_damaged_program_is_a_line(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, images, path = make_model(), faces(("rgb",), 3), tmp_path / "m.pte"
    exporter.export(ExecuTorchOptions(), model, images, path, make_card(), verify_on(model, images))
    monkeypatch.setenv(TRUSTED, "executorch")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or mixed up: m\.pte is not as it was written: export it"):
        ModelFile(path)
    for part in (content[: len(content) // 2], b"", b"no program"):
        path.write_bytes(part)
        with pytest.raises(ModelError, match=r"m\.pte: cannot be loaded as an ExecuTorch program, damaged"):
            ModelFile(path)


@pytest.mark.long
@needs_executorch
def test_exporter_and_runtime_keep_their_contracts(tmp_path: Path) -> None:
    for check, name in ((check_exporter, "exporter"), (check_runtime, "runtime")):
        (tmp_path / name).mkdir()
        check("executorch", tmp_path / name)  # type: ignore[operator]


def test_a_program_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRUSTED, raising=False)
    path = tmp_path / "model.pte"
    path.write_bytes(b"a program")
    with pytest.raises(ModelError, match=r"model\.pte: not opened: .* set FAS_TRUSTED_RUNTIMES=executorch"):
        ModelFile(path)


def test_the_extra_is_named_where_it_is_missing(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None)
    monkeypatch.setenv(TRUSTED, "executorch")
    model, images, path = make_model(), faces(("rgb",), 3), tmp_path / "model.pte"
    verify, extra = verify_on(model, images), r"pip install 'fas-core\[executorch\]'"
    with pytest.raises(FasError, match=extra):
        exporter.export(ExecuTorchOptions(), model, images, path, make_card(), verify)
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"a program")
    with pytest.raises(FasError, match=extra):
        ModelFile(path)


def test_it_refuses_to_go_unverified(make_model: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    model, images = make_model(), faces(("rgb",), 0)
    with pytest.raises(DataError, match="no samples"):
        exporter.export(
            ExecuTorchOptions(), model, images, tmp_path / "m.pte", make_card(), verify_on(model, images)
        )


def test_a_sealed_program_begins_as_before(tmp_path: Path) -> None:
    path = tmp_path / "model.pte"
    path.write_bytes(b"a program")
    seal_model_file(path)
    assert path.read_bytes().startswith(b"a program")
    check_model_file(path)
    path.write_bytes(path.read_bytes().replace(b"program", b"problem"))
    with pytest.raises(ModelError, match=r"model\.pte: damaged or mixed up"):
        check_model_file(path)
