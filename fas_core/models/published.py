"""Read checkpoints that others published, in the forms that PyTorch programs give them.

No code in a file is run. `torch.load` reads data only; where a file also holds objects of other packages
(NumPy scalars, a Namespace of flags), objects without behaviour stand in for them.
"""

from __future__ import annotations

import pickle
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from attrs import frozen
from torch import Tensor

from fas_core.errors import ModelError, format_list
from fas_core.models.checkpoint import check_finite, read_safetensors
from fas_core.models.file_format import describe_other_format, is_safetensors

KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params")
"""Keys of the state dict in a training checkpoint; the first that exists is read."""

DATA_PARALLEL_PREFIX, COMPILED_PREFIX = "module.", "_orig_mod."
"""Prefixes of names by `torch.nn.DataParallel`, before every name, and by `torch.compile`, anywhere."""

DATA_MODULES = {"_codecs", "argparse", "collections", "copyreg", "datetime", "decimal", "enum", "fractions"}
DATA_MODULES |= {"functools", "pathlib", "types", "uuid"}
"""Modules of Python whose objects occur beside weights. Files that name others of Python are refused."""

REFUSAL = re.compile(r"[Uu]nsupported (?:global: )?(?:GLOBAL|class|operand) (\w[\w.]*)")
"""How torch words that it refuses to call a function, or an instruction that state dicts do not need."""

OLD_MODEL = "Only persistent_load of storage is allowed"
"""How torch words that a file before version 1.6 holds a module, with the source text of its class."""

ADVICE = "in the program that wrote it, save model.state_dict() with torch.save, and import that file"


@frozen(eq=False)
class PublishedCheckpoint:
    """Contents of a checkpoint file; None for what it does not hold.

    Args:
        weights: state dict in the file's order, names without the prefixes of `DataParallel` and
            `torch.compile`.
        epoch: number of epochs it was trained for.
        optimizer: state dict of its optimiser.
        key: where in the file the state dict is, e.g. `model.state_dict`; empty for a bare one.
        others: where there are other state dicts, which are not read.
    """

    path: Path
    weights: dict[str, Tensor]
    epoch: int | None = None
    optimizer: Mapping[str, Any] | None = None
    key: str = ""
    others: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_finite(self.weights, str(self.path))


class Inert:
    """Stands in for an object whose class is not loaded; it keeps the object's state, and does nothing."""

    origin = ""

    state: object = None

    def __new__(cls, *_: object) -> Inert:
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        """Take the arguments that its class would."""

    def __setstate__(self, state: object) -> None:
        self.state = state

    @property
    def is_module(self) -> bool:
        """Whether it stands in for an `nn.Module`."""
        return isinstance(self.state, Mapping) and "_modules" in self.state


def read_published(path: Path) -> PublishedCheckpoint:
    """Read a checkpoint file, whatever its name.

    Raises:
        ModelError: the file is missing or damaged, would run code, holds no state dict or weights that are
            not finite numbers, or is of another format, which the message names.
    """
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file: give a checkpoint (.pth, .pth.tar, .ckpt, .safetensors, ...)"
        )
    if other := describe_other_format(path):
        raise ModelError(f"{path}: {other}")
    content = read_safetensors(path) if is_safetensors(path) else _read_pickle(path)
    key, entries, others = _find_state_dict(content, path)
    weights = _clean_state_dict(entries, path)
    if not isinstance(content, Mapping) or not key:
        return PublishedCheckpoint(path, weights)
    epoch, optimizer = content.get("epoch"), content.get("optimizer")
    return PublishedCheckpoint(
        path,
        weights,
        epoch if isinstance(epoch, int) and epoch >= 0 else None,
        optimizer if isinstance(optimizer, Mapping) else None,
        key,
        others,
    )


def _read_pickle(path: Path) -> object:
    """Read what `torch.save` wrote, with `Inert` objects for those of packages."""
    classes: dict[str, type[Inert]] = {}
    while True:
        try:
            with warnings.catch_warnings():  # about pickle's protocols, before torch refuses them
                warnings.simplefilter("ignore")
                return _load_data(path, classes)
        except pickle.UnpicklingError as error:
            if OLD_MODEL in str(error):
                raise ModelError(f"{path}: {_describe_object('nn.Module')}") from error
            refusal = REFUSAL.search(str(error))
            name = refusal[1] if refusal else ""
            if name in classes or not _is_data(name):
                raise ModelError(f"{path}: {_describe_refusal(name)}") from error
            classes[name] = type("Inert", (Inert,), {"origin": name})
        # Damaged bytes stop the unpickler with any of these, by the instruction that they happen to give.
        except (RuntimeError, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ModelError(f"{path}: truncated, or no checkpoint of PyTorch") from error


def _load_data(path: Path, classes: Mapping[str, type[Inert]]) -> object:
    allowed = torch.serialization.safe_globals([(item, name) for name, item in classes.items()])
    with allowed, path.open("rb") as file:  # not by its path, whose ending torch would go by
        return cast(object, torch.load(file, map_location="cpu", weights_only=True))


def _is_data(name: str) -> bool:
    """Whether an object of this class, `package.module.Class`, may stand beside weights."""
    package = name.partition(".")[0]
    return "." in name and (package in DATA_MODULES or package not in sys.stdlib_module_names)


def _describe_refusal(name: str) -> str:
    if not name:
        return "truncated, or no checkpoint of PyTorch"
    reason = f"reading it would call {name}" if "." in name else "it holds more than data"
    return f"refused: {reason}; only state dicts of tensors are read: ask its author for one"


def _find_state_dict(content: object, path: Path) -> tuple[str, Mapping[Any, Any], tuple[str, ...]]:
    """Return the key of the state dict (empty for the content itself), the state dict, and others' keys.

    Raises:
        ModelError: there is none, there are several under unknown keys, or there is a whole model.
    """
    if isinstance(content, Inert):
        kind = "a whole pickled model" if content.is_module else "a pickled object"
        raise ModelError(f"{path}: {_describe_object(content.origin, kind)}")
    if not isinstance(content, Mapping):
        raise ModelError(f"{path}: holds a {type(content).__name__} and no state dict")
    if _is_state_dict(content):
        return "", content, ()
    candidates = dict(_walk(content))
    ranks = {key: KEYS.index(key.rpartition(".")[2]) for key in candidates if key.rpartition(".")[2] in KEYS}
    if ranks or len(candidates) == 1:
        key = min(ranks, key=lambda name: (name.count("."), ranks[name])) if ranks else next(iter(candidates))
        return key, candidates[key], tuple(name for name in candidates if name != key)
    if candidates:
        raise ModelError(
            f"{path}: holds several state dicts, {format_list(candidates)}: save the network's one alone"
        )
    for value in content.values():
        if isinstance(value, Inert) and value.is_module:
            raise ModelError(f"{path}: {_describe_object(value.origin)}")
    inner = next((content[key] for key in KEYS if isinstance(content.get(key), Mapping)), content)
    return "", inner, ()


def _walk(
    content: Mapping[Any, Any], prefix: str = "", depth: int = 3
) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield the state dicts in a checkpoint by their keys, joined by dots; optimisers have none."""
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Mapping) or "optim" in key.lower():
            continue
        if _is_state_dict(value):
            yield prefix + key, value
        elif depth > 1:
            yield from _walk(value, f"{prefix}{key}.", depth - 1)


def _is_state_dict(entries: Mapping[Any, Any]) -> bool:
    return bool(entries) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in entries.items()
    )


def _describe_object(origin: str, kind: str = "a whole pickled model") -> str:
    return f"holds {kind} of the class {origin}, whose code is not run, and no state dict: {ADVICE}"


def _clean_state_dict(entries: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    """Return the tensors by name, without wrappers' prefixes; refuse anything else, and no tensors."""
    others = [str(name) for name, value in entries.items() if not isinstance(value, Tensor)]
    if others or not entries:
        content = f"holds {format_list(others)}" if others else "is empty"
        raise ModelError(f"{path}: no state dict of tensors: it {content}")
    names = {str(name): str(name).replace(COMPILED_PREFIX, "") for name in entries}
    while all(name.startswith(DATA_PARALLEL_PREFIX) for name in names.values()):
        names = {old: name.removeprefix(DATA_PARALLEL_PREFIX) for old, name in names.items()}
    return {names[str(name)]: value for name, value in entries.items()}
