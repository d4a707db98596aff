"""Which modality a path names: by a folder (`depth/x.png`) or by the end of the name (`x_depth.png`)."""

from __future__ import annotations

from collections.abc import Collection

MODALITIES = ("rgb", "depth", "ir")
SYNONYMS = {"color": "rgb", "colour": "rgb"}


def split_modality(path: str, modalities: Collection[str] = MODALITIES) -> tuple[str | None, str]:
    """Return the modality that a path names (None: no modality), and the path without it and its suffix.

    Images of the same remaining path belong together.

    >>> split_modality("live/depth/07.png"), split_modality("live/07-colour.jpg"), split_modality("07.jpg")
    (('depth', 'live/07'), ('rgb', 'live/07'), (None, '07'))
    """

    def find(word: str) -> str | None:
        name = SYNONYMS.get(word.lower(), word.lower())
        return name if name in modalities else None

    *folders, name = path.split("/")
    stem = name.rpartition(".")[0] or name
    for index, folder in enumerate(folders):
        if modality := find(folder):
            return modality, "/".join([*folders[:index], *folders[index + 1 :], stem])
    for separator in "_-":
        start, _, end = stem.rpartition(separator)
        if start and (modality := find(end)):
            return modality, "/".join([*folders, start])
    return None, "/".join([*folders, stem])
