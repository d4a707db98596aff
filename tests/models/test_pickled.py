"""Checkpoints that lie about their sizes, and damaged ones: a line, before anything is unpacked."""

from __future__ import annotations

import json
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from faults.counts import count
from faults.mutation import mutations, run_reader
from torch import Tensor, nn

from fas_core import ModelError
from fas_core.models.checkpoint import load_state, load_weights, read_safetensors, save_weights
from fas_core.models.published import read_published

READERS: list[Callable[[Path], object]] = [read_published, load_state]


def repack(path: Path, name: str, size: int = 1 << 28) -> None:
    """Compress an archive, one of whose entries has so many zeros more."""
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(content)
                for _ in range(size >> 20 if entry.endswith(name) else 0):
                    file.write(bytes(1 << 20))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["data.pkl", "data/0"])
def test_an_archive_that_unpacks_to_more_than_the_file(tmp_path: Path, read: Any, name: str) -> None:
    count("bombs")
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(3)}, path)
    repack(path, name)
    assert path.stat().st_size < 500_000
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"a\.pth: refused: unpacks to 268 MB, more than the file has"):
        read(path)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("read", READERS)
def test_a_tensor_that_repeats_one_number(tmp_path: Path, read: Any) -> None:
    count("bombs")
    torch.save({"a": torch.zeros(1).expand(1 << 40)}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"a tensor of shape \(1099511627776,\) that stores fewer values"):
        read(tmp_path / "a.pth")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("sparse", lambda: torch.eye(4).to_sparse()),
        ("sparse", lambda: torch.eye(4).to_sparse_csr()),
        ("quantized", lambda: torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)),
        ("without values", lambda: torch.empty(10**9, device="meta")),
        ("nested", lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of torch, about tensors of such kinds
def test_a_tensor_that_is_no_plain_one(
    tmp_path: Path, read: Any, kind: str, make: Callable[[], Tensor]
) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a.weight": torch.ones(2), "x": make()}, path)
    with pytest.raises(ModelError, match=f"refused: a tensor that is {kind}: save it as a plain one"):
        read(path)


@pytest.mark.parametrize(
    ("kind", "is_read"),
    [
        (torch.float8_e4m3fn, True),
        (torch.bfloat16, True),
        (torch.bool, True),
        (torch.uint16, True),
        (torch.complex64, False),
        (torch.float4_e2m1fn_x2, False),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_types_of_numbers(tmp_path: Path, kind: torch.dtype, is_read: bool) -> None:
    numbers = torch.zeros(4, dtype=torch.uint8)
    weights = {"a.weight": numbers.view(kind) if kind.itemsize == 1 else numbers.to(kind)}
    torch.save(weights, tmp_path / "a.pth")
    if is_read:
        assert read_published(tmp_path / "a.pth").weights["a.weight"].dtype == kind
    else:
        with pytest.raises(ModelError, match=r"weights that are not finite numbers: a\.weight"):
            read_published(tmp_path / "a.pth")


def test_lists_of_the_same_list(tmp_path: Path) -> None:
    count("bombs")
    items: list[Any] = []
    for _ in range(60):
        items = [items, items]
    torch.save({"a": items}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match="no state dict of tensors: it holds a"):
        read_published(tmp_path / "a.pth")


def test_views_of_one_storage_are_read(tmp_path: Path) -> None:
    """Tied weights, and slices of a larger tensor."""
    whole = torch.arange(12.0).reshape(3, 4)
    torch.save({"a": whole, "b": whole, "c": whole[1:, ::2], "d": whole.T}, tmp_path / "a.pth")
    assert torch.equal(read_published(tmp_path / "a.pth").weights["c"], whole[1:, ::2])


def test_a_state_of_another_type(tmp_path: Path) -> None:
    torch.save([1], tmp_path / "state.pt")
    with pytest.raises(ModelError, match=r"state\.pt: cannot be read as training state: it holds a list"):
        load_state(tmp_path / "state.pt")


def header(content: object, length: int | None = None) -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


def entry(shape: list[int], end: int) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}


@pytest.mark.parametrize(
    "content",
    [
        header({"a": entry([1 << 40], 1 << 42)}),
        header(b"{}", 1 << 62),
        header(b'{"a":' * 40_000),
        header({f"a{number}": entry([0], 0) for number in range(100_000)}),
        header({"a": {"dtype": "F99", "shape": [], "data_offsets": [0, 0]}}),
        b"",
    ],
    ids=["size", "length", "depth", "count", "type", "nothing"],
)
def test_safetensors_headers_that_lie(tmp_path: Path, content: bytes) -> None:
    count("bombs")
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"a\.safetensors: cannot be read as safetensors") as caught:
        read_safetensors(path)
    assert time.monotonic() - start < 5
    assert "\n" not in str(caught.value)


def check_mutations(folder: Path, count: int) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 3)).sum().backward()
    optimizer.step()
    weights, state, published, old = (folder / name for name in ("a.safetensors", "a.pt", "a.pth", "b.pth"))
    save_weights(model, weights)
    # Not save_state, whose seal would refuse all before they are read.
    torch.save({"optimizer": optimizer.state_dict(), "names": ["a"], "best": 0.3}, state)
    torch.save({"state_dict": model.state_dict(), "epoch": 2}, published)
    torch.save(model.state_dict(), old, _use_new_zipfile_serialization=False)
    readers: dict[Path, Callable[[Path], object]] = {
        weights: lambda path: load_weights(model, path),
        state: load_state,
        published: read_published,
        old: read_published,
    }
    for original, reader in readers.items():
        path = folder / f"mutation{original.suffix}"

        def read(data: bytes, path: Path = path, reader: Any = reader) -> object:
            path.write_bytes(data)
            return reader(path)

        assert run_reader(read, mutations([original.read_bytes()], count)) == []


def test_mutations(tmp_path: Path) -> None:
    check_mutations(tmp_path, 200)


@pytest.mark.long
def test_many_mutations(tmp_path: Path) -> None:
    check_mutations(tmp_path, 10_000)
