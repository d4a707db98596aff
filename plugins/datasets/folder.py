"""Your own photos in folders: `live/...` and `attack/<species>/...`, with or without split folders.

Split folders are `train/`, `dev/` and `test/`. Folders of splits and classes may have any usual name, such as
`validation/` or `spoof/` (`fas_core.scores.label_words`). A modality is a sub-folder (`live/rgb/x.jpg`,
`live/depth/x.png`) or the end of the name (`x_rgb.jpg`, `x-depth.png`); an image without either is `rgb`.
Images whose paths differ only in the modality are one sample. An image that no class is known of is an error.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from attrs import frozen

from fas_core.data.listing import Listing, describe_left_out, is_noise, list_files
from fas_core.data.text_lists import refuse, split_modality
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_core.scores.label_words import (
    KNOWN_CLASSES,
    KNOWN_SPLITS,
    describe_synonyms,
    parse_class,
    parse_split,
    refuse_synonyms,
)
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.options import FolderOptions

CLASS_NAMES = {LIVE: "live", ATTACK: "attack"}


@frozen
class Folder(Reader[FolderOptions]):
    """Reader of such folders. Without split folders everything is `test`."""

    @cached_property
    def listing(self) -> Listing:
        """All files below the root."""
        return list_files(self.root)

    @property
    def notes(self) -> tuple[str, ...]:
        """Files that are left out, and names of folders that are read as other words."""
        left_out = describe_left_out((*self.listing.videos, *self.listing.left_out))
        if self.listing.videos:
            left_out += " (`fas data frames` makes images of videos)"
        splits = {prefix.rstrip("/"): split for split, prefix in self._prefixes.items() if prefix}
        classes = {
            name: word for prefix in self._prefixes.values() for name, word in self._classes(prefix).items()
        }
        return ((left_out,) if left_out else ()) + describe_synonyms(splits | classes)

    def splits(self) -> tuple[str, ...]:
        return tuple(self._prefixes)

    def _read(self, split: str) -> SampleTable:
        """Read the samples of one split, sorted by id: the path less modality and suffix.

        Raises:
            DataError: a folder is empty or of no known class, or a sample has two images of a modality.
        """
        prefix = self._prefixes[split]
        classes = self._classes(prefix)
        images, problems = self._list_samples(prefix, classes)
        refuse(self.root / prefix, problems)
        ids = sorted(images)
        modalities = [name for name in self.options.modalities if any(name in images[key] for key in ids)]
        # The class's folder, then for attacks the species' folder.
        paths = [key.removeprefix(prefix).split("/") for key in ids]
        labels = [parse_class(path[0]) for path in paths]
        species = [
            path[1] if label == ATTACK and len(path) > 2 else None
            for path, label in zip(paths, labels, strict=True)
        ]
        columns = {name: [images[key].get(name) for key in ids] for name in modalities}
        return SampleTable.of(
            {"id": ids, "split": [split] * len(ids), "label": labels, "species": species, **columns},
            modalities=modalities,
            root=self.root,
        )

    @cached_property
    def _prefixes(self) -> dict[str, str]:
        """`{split: start of its paths}`; it is empty where there are no split folders.

        Raises:
            DataError: split folders stand beside other folders with images, or two of them mean one split.
        """
        names = self._sub_folders("")
        splits = {name: split for name in names if (split := parse_split(name))}
        classes = [name for name in names if parse_class(name) is not None]
        if splits and classes:
            raise DataError(
                f"{self.root}: holds {format_list([*splits, *classes])} side by side: keep splits or classes"
            )
        if not splits and not classes:
            raise DataError(f"{self.root}: {_describe_contents(names, self.listing)}")
        refuse_synonyms(splits, self.root)
        if not splits:
            return {"test": ""}
        known = tuple(f"{name}/" for name in splits)
        outside = [path for path in self.listing.images if not path.startswith(known)]
        refuse(self.root, _describe_outside(outside, "", "split", KNOWN_SPLITS))
        order = ("train", "dev", "test")
        return {
            split: f"{name}/" for name, split in sorted(splits.items(), key=lambda item: order.index(item[1]))
        }

    def _classes(self, prefix: str) -> dict[str, str]:
        """Return `{name: live or attack}` of a split's folders of classes; raise DataError for synonyms."""
        labels = {name: parse_class(name) for name in self._sub_folders(prefix)}
        classes = {name: CLASS_NAMES[label] for name, label in labels.items() if label is not None}
        refuse_synonyms(classes, self.root / prefix)
        return classes

    def _sub_folders(self, prefix: str) -> list[str]:
        folder = self.root / prefix
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and not is_noise(path.name))

    def _list_samples(
        self, prefix: str, classes: dict[str, str]
    ) -> tuple[dict[str, dict[str, str]], list[str]]:
        """Return `{id: {modality: path}}` of the images of one split, and its problems."""
        paths = [path for path in self.listing.images if path.startswith(prefix)]
        folders = [path.removeprefix(prefix).partition("/")[0] for path in paths]
        outside = [path for path, name in zip(paths, folders, strict=True) if name not in classes]
        problems = _describe_outside(outside, prefix, "class", KNOWN_CLASSES)
        problems += _describe_inner_splits(paths, prefix, classes)
        empty = sorted(set(classes) - set(folders))
        problems += [f"{self.root / prefix / name}: no images in this folder" for name in empty]
        if not classes and not problems:
            problems.append(f"{self.root / prefix}: no folder of a class: {KNOWN_CLASSES}")
        samples: dict[str, dict[str, str]] = {}
        for path, folder in zip(paths, folders, strict=True):
            if folder in classes:
                start = f"{prefix}{folder}/"
                modality, name = self._parse_path(path.removeprefix(start))
                images = samples.setdefault(f"{start}{name}", {})
                if modality in images:
                    problems.append(f"{path}: the sample has a {modality} image, {images[modality]}")
                images[modality] = path
        return samples, problems

    def _parse_path(self, path: str) -> tuple[str, str]:
        """Return the modality that a path names, and the path without modality and suffix."""
        known = self.options.modalities
        modality, name = split_modality(path, known)
        return modality or ("rgb" if "rgb" in known else known[0]), name


def _describe_outside(paths: list[str], prefix: str, kind: str, known: str) -> list[str]:
    """Describe images in no folder of a known class (or split), a problem for each folder."""
    parents = Counter(path.removeprefix(prefix).rpartition("/")[0].partition("/")[0] for path in paths)
    problems = []
    for name, count in sorted(parents.items()):
        where = f"{prefix}{name}/" if name else (prefix or "the folder itself")
        hint = f"move or remove the folder, or name it {known}"
        problems.append(f"{where}: {_count(count)} of no known {kind}: {hint}")
    return problems


def _describe_inner_splits(paths: list[str], prefix: str, classes: dict[str, str]) -> list[str]:
    """Describe folders of splits in those of classes, which would be read as species."""
    parents = dict.fromkeys(tuple(path.removeprefix(prefix).split("/")[:-1][:2]) for path in paths)
    return [
        f"{prefix}{'/'.join(names)}/: a split in the folder of a class: move it to {names[1]}/{names[0]}/"
        for names in parents
        if len(names) == 2 and names[0] in classes and parse_split(names[1])
    ]


def _describe_contents(names: list[str], listing: Listing) -> str:
    """Describe a folder without any known layout, and what it should hold."""
    folders = f"the folders {format_list(f'{name}/' for name in names)}" if names else "no folders"
    return (
        f"holds {folders} and {_count(len(listing.images))}, but no folder of a class ({KNOWN_CLASSES}) "
        f"or of a split ({KNOWN_SPLITS})"
    )


def _count(images: int) -> str:
    return "1 image" if images == 1 else f"{images} images"
