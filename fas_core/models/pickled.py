"""Read what `torch.save` wrote as data only, without taking more memory than the file has bytes."""

from __future__ import annotations

import pickle
import struct
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile, is_zipfile

import torch
from torch import Tensor

from fas_core.errors import ModelError

DAMAGE = (
    *(pickle.UnpicklingError, struct.error, AssertionError, AttributeError, EOFError, LookupError),
    *(
        ArithmeticError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        BadZipFile,
        NotImplementedError,
    ),
)
"""Damaged bytes stop torch's unpickler with any of these, by the instruction that they happen to give."""


def load_pickled(path: Path) -> object:
    """Read tensors, numbers, text and containers of them onto the CPU; no code in the file is run.

    Raises:
        ModelError: the file would unpack to more than its own size, or a tensor to more than it stores.
        Exception: one of `DAMAGE`; the file is damaged, or holds objects of classes that are not allowed.
    """
    with path.open("rb") as file:  # not by its path, whose ending torch would go by
        stream: BinaryIO = file
        if is_zipfile(file):
            _check_archive(file, path)
            file.seek(0)
        else:  # the old format: a file would reserve what a damaged length says, bytes do not
            file.seek(0)
            stream = BytesIO(file.read())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd pickles, which are read or refused all the same
            content = cast(object, torch.load(stream, map_location="cpu", weights_only=True))
    _check_tensors(content, path)
    return content


def _check_archive(file: BinaryIO, path: Path) -> None:
    """Refuse an archive whose entries are larger than the file; `torch.save` does not compress."""
    with ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > path.stat().st_size:
        problem = f"{path}: refused: unpacks to {size / 1e6:,.0f} MB, more than the file has"
        raise ModelError(f"{problem}: write it again with torch.save, which does not compress")


def _check_tensors(content: object, path: Path) -> None:
    """Refuse tensors that are no plain ones, or that repeat few numbers: any operation would unfold them."""
    remaining, seen = [content], set[int]()
    while remaining:
        item = remaining.pop()
        if id(item) in seen:  # lists of themselves, or of the same list many times
            continue
        seen.add(id(item))
        if isinstance(item, Tensor):
            if kind := _describe_kind(item):
                raise ModelError(f"{path}: refused: a tensor that is {kind}: save it as a plain one")
            if item.numel() * item.element_size() > item.untyped_storage().nbytes():
                shape = tuple(item.shape)
                raise ModelError(f"{path}: refused: a tensor of shape {shape} that stores fewer values")
        elif isinstance(item, Mapping):
            remaining += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            remaining += item


def _describe_kind(tensor: Tensor) -> str:
    """Return in which way a tensor holds its numbers otherwise than one after the other; empty for none."""
    if tensor.is_nested:
        return "nested"
    if tensor.layout != torch.strided:
        return "sparse"
    if tensor.is_quantized:
        return "quantized"
    return "" if tensor.device.type == "cpu" else "without values"
