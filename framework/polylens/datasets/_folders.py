"""Which image files lie in a folder of classes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from polylens.errors import DataError
from polylens.records import Skipped

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
LAYOUT = (
    "expected is one folder per class: ROOT/CLASS/IMAGE.png; folders inside of a class folder are fine too"
)


@dataclass(frozen=True)
class ImageFile:
    """One file that is named like an image."""

    id: str
    """Path below the root with `/` between its parts; it never leads out of the root."""
    path: Path
    target: int


@dataclass(frozen=True)
class Listing:
    """All image files below a root, sorted by id."""

    files: tuple[ImageFile, ...]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def list_images(root: Path) -> Listing:
    """The image files of each class folder; hidden ones and other kinds of files are passed over.

    Links are followed, but never in a circle.

    Raises:
        DataError: no such folder, or no images in class folders.
    """
    if not root.is_dir():
        found = "a file" if root.is_file() else "nothing"
        raise DataError(f"no image folder at {root}: there is {found}", hint=LAYOUT)
    found_ids = [_id(path, root) for path in _walk(root, ancestors=())]
    unnamable = [
        Skipped(_printable(name), "its name is not UTF-8") for name in found_ids if not _is_utf8(name)
    ]
    names = sorted(name for name in found_ids if _is_utf8(name))
    loose = [Skipped(name, "lies outside of the class folders") for name in names if "/" not in name]
    inside = [name for name in names if "/" in name]
    if not inside:
        what = f"{len(loose)} images, but none in a class folder" if loose else "no image"
        raise DataError(f"{root} holds {what}", hint=f"{LAYOUT}\n  endings read: {' '.join(ENDINGS)}")
    classes = tuple(sorted({_class_of(name) for name in inside}))
    target = {name: index for index, name in enumerate(classes)}
    files = tuple(ImageFile(name, root / name, target[_class_of(name)]) for name in inside)
    return Listing(files=files, classes=classes, skipped=(*unnamable, *loose))


def _walk(folder: Path, *, ancestors: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in ancestors:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path), ancestors=(*ancestors, here))
            elif entry.name.lower().endswith(ENDINGS):
                yield Path(entry.path)


def _id(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _class_of(name: str) -> str:
    return name.partition("/")[0]


def _is_utf8(name: str) -> bool:
    # Names that are not UTF-8 arrive with stand-ins that neither JSON nor Parquet can hold.
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _printable(name: str) -> str:
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
