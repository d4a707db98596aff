"""Which modality a path names: by a folder (`depth/x.png`) or by the end of the name (`x_depth.png`)."""

from __future__ import annotations

from collections.abc import Collection

MODALITIES = ("rgb", "depth", "ir")
OTHER_NAMES = {"color": "rgb", "colour": "rgb"}


def split_modality(path: str, modalities: Collection[str] = MODALITIES) -> tuple[str | None, str]:
    """The modality that a path names, None where it names none, and the path without it and its suffix.

    Images that have the rest in common belong together.

    >>> split_modality("live/depth/07.png"), split_modality("live/07-colour.jpg"), split_modality("07.jpg")
    (('depth', 'live/07'), ('rgb', 'live/07'), (None, '07'))
    """

    def known(word: str) -> str | None:
        name = OTHER_NAMES.get(word.lower(), word.lower())
        return name if name in modalities else None

    *folders, name = path.split("/")
    stem = name.rpartition(".")[0] or name
    for place, folder in enumerate(folders):
        if modality := known(folder):
            return modality, "/".join([*folders[:place], *folders[place + 1 :], stem])
    for mark in "_-":
        start, _, end = stem.rpartition(mark)
        if start and (modality := known(end)):
            return modality, "/".join([*folders, start])
    return None, "/".join([*folders, stem])
