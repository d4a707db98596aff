"""Words for classes and splits, as folders, manifests and score files of other programs write them.

Case, separators and a plural's s do not count: `Bona-Fide`, `bona_fide` and `bonafide` are one word. `eval`
is the test split, as beside `dev` in biometrics, so that no model is selected on it; beside `test` it is an
error.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from fas_core.errors import DataError
from fas_core.scores.table import ATTACK, LIVE

CLASS_WORDS = {
    LIVE: ("live", "real", "genuine", "bona fide", "client"),
    ATTACK: ("attack", "presentation attack", "spoof", "fake", "imposter", "impostor", "non live"),
}
SPLIT_WORDS = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "val", "valid", "validation"),
    "test": ("test", "testing", "eval", "evaluation"),
}


def normalize_word(text: str) -> str:
    """Return a word in lower case and without separators: `bonafide` for `Bona-Fide`."""
    return re.sub(r"[\s_\-]+", "", text.strip().lower())


_CLASSES = {normalize_word(word): label for label, words in CLASS_WORDS.items() for word in words}
_SPLITS = {normalize_word(word): split for split, words in SPLIT_WORDS.items() for word in words}

KNOWN_CLASSES = " or ".join(", ".join(words) for words in CLASS_WORDS.values())
KNOWN_SPLITS = " or ".join(", ".join(words) for words in SPLIT_WORDS.values())
"""The words, for messages."""


def parse_class(text: str) -> int | None:
    """Return the class that a word means, `LIVE` or `ATTACK`; None for other words."""
    word = normalize_word(text)
    return _CLASSES.get(word, _CLASSES.get(word.removesuffix("s")))


def parse_split(text: str) -> str | None:
    """Return the split that a word means: `train`, `dev` or `test`; None for other words."""
    return _SPLITS.get(normalize_word(text))


def refuse_synonyms(meanings: Mapping[str, str], where: Path | str) -> None:
    """Raise a DataError where two of `{name: meaning}` mean the same, e.g. `val` and `dev`."""
    names = defaultdict(list)
    for name, meaning in meanings.items():
        names[meaning].append(name)
    for meaning, synonyms in names.items():
        if len(synonyms) > 1:
            several = " and ".join(map(repr, sorted(synonyms)))
            raise DataError(f"{where}: {several} both mean {meaning!r}: merge them, or rename one")


def describe_synonyms(meanings: Mapping[str, str]) -> tuple[str, ...]:
    """Return notes that name each word of `{word: meaning}` that is not its meaning's own name."""
    renamed = [f"{word!r} as {meaning!r}" for word, meaning in meanings.items() if word != meaning]
    return (f"read {', '.join(renamed)}",) if renamed else ()
