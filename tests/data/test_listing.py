"""Listing folders: what counts as an image or a video, what is left out, and what is noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core.data.file_formats import FileKind
from fas_core.data.listing import classify_file, describe_left_out, list_files
from fas_core.errors import DataError

PIXELS = np.zeros((64, 64, 3), np.uint8)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def encode(suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, PIXELS)[1])


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def test_all_decodable_endings_are_images_by_name(tmp_path: Path) -> None:
    suffixes = (
        ".JPG",
        ".jfif",
        ".jpe",
        ".dib",
        ".pgm",
        ".ppm",
        ".pbm",
        ".gif",
        ".avif",
        ".jp2",
        ".tif",
        ".webp",
    )
    names = sorted(f"photo{suffix}" for suffix in suffixes)
    touch(tmp_path, *names)  # empty: nothing but the name can tell
    assert list_files(tmp_path).images == tuple(names)


def test_unknown_endings_are_looked_into(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png", ".bmp", ".webp", ".tif", ".ppm", ".gif", ".jp2"):
        (tmp_path / f"image{suffix[1:]}").write_bytes(encode(suffix))
        (tmp_path / f"{suffix[1:]}.upload").write_bytes(encode(suffix))
    (tmp_path / "renamed.heic").write_bytes(encode(".jpg"))  # a phone's photo, converted but not renamed
    (tmp_path / "notes.txt").write_text("BMW and P5 are no images\n")
    listing = list_files(tmp_path)
    assert len(listing.images) == 17
    assert listing.others == ("notes.txt",)


def test_undecodable_images_are_told_from_other_files(tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(HEIC)
    (tmp_path / "upload").write_bytes(HEIC)
    (tmp_path / "raw.DNG").write_bytes(b"II*\0")  # a TIFF whose first image is a thumbnail
    (tmp_path / "empty.heif").write_bytes(b"")
    (tmp_path / "labels.csv").write_text("id,label\n")
    listing = list_files(tmp_path)
    assert listing.images == ()
    assert listing.undecodable == ("empty.heif", "photo.heic", "raw.DNG", "upload")
    assert listing.left_out == (*listing.undecodable, "labels.csv")


def test_hidden_files_and_notes_of_file_managers_are_not_counted(tmp_path: Path) -> None:
    touch(tmp_path, ".ipynb_checkpoints/a.jpg", "__MACOSX/a.jpg", "x/@eaDir/a.jpg", "x/Thumbs.db")
    touch(tmp_path, "x/desktop.ini", "x/._a.jpg", ".git/b.jpg", "x/a.jpg")
    listing = list_files(tmp_path)
    assert (listing.images, listing.left_out) == (("x/a.jpg",), ())


def test_a_hidden_folder_that_is_named_itself_is_listed(tmp_path: Path) -> None:
    touch(tmp_path, ".cache/a.jpg")
    assert list_files(tmp_path / ".cache").images == ("a.jpg",)


def test_a_folder_named_like_a_file_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "clip.mp4/0001.jpg", "photo.jpg/0001.png", "real.mp4")
    listing = list_files(tmp_path)
    assert listing.images == ("clip.mp4/0001.jpg", "photo.jpg/0001.png")
    assert listing.videos == ("real.mp4",)


def test_folders_come_in_order_and_only_one_level_on_request(tmp_path: Path) -> None:
    touch(tmp_path, "a/b.jpg", "a-1/c.jpg", "z.jpg")
    assert list_files(tmp_path).images == ("a/b.jpg", "a-1/c.jpg", "z.jpg")
    assert list_files(tmp_path, recursive=False).images == ("z.jpg",)


def test_links_to_folders_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    touch(tmp_path, "store/a.jpg", "photos/b.jpg")
    (tmp_path / "photos" / "more").symlink_to(tmp_path / "store")
    (tmp_path / "photos" / "again").symlink_to(tmp_path / "photos")
    assert list_files(tmp_path / "photos").images == ("b.jpg", "more/a.jpg")


def test_a_link_to_nothing_is_still_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "gone.jpg")
    assert list_files(tmp_path).images == ("a.jpg",)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        list_files(tmp_path / "none")


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"\0\0\0\x20ftypisom\0\0\0\0", FileKind.VIDEO),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", FileKind.OTHER),  # music
        (b"RIFF\0\0\0\0AVI LIST", FileKind.VIDEO),
        (b"RIFF\0\0\0\0WAVEfmt ", FileKind.OTHER),
        (b"\x1a\x45\xdf\xa3", FileKind.VIDEO),
        ((b"\x47" + b"\0" * 187) * 3, FileKind.VIDEO),
        (b"\0\0\0\x20ftypavif\0\0\0\0", FileKind.IMAGE),
        (b"\xff\x0a", FileKind.UNDECODABLE),
        (b"%PDF-1.7", FileKind.OTHER),
    ],
)
def test_kinds_by_the_first_bytes(header: bytes, kind: FileKind, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(header)
    assert classify_file(tmp_path / "file") is kind


def test_the_message_counts_by_ending() -> None:
    assert describe_left_out(["x/a.heic", "b.HEIC", "c.txt"]) == "3 files left out: 2 .heic, 1 .txt"
    assert describe_left_out(["README"]) == "1 file left out: 1 without ending"
    assert describe_left_out([]) == ""
