"""Which image files lie in a folder of classes."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from polylens.datasets._image_formats import image_endings
from polylens.errors import DataError
from polylens.folders import files_below, printable
from polylens.records import Skipped

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
    """All other files, links that lead nowhere, and class folders without an image."""


def list_images(root: Path) -> Listing:
    """The image files of each class folder. Links are followed, but never in a circle.

    Raises:
        DataError: no such folder, no images in class folders, or two class folders of one name.
    """
    if not root.is_dir():
        found = "a file" if root.is_file() else "nothing"
        raise DataError(f"no image folder at {root}: there is {found}", hint=LAYOUT)
    below = files_below(root)
    problems = {name: _problem(name) for name in below.files}
    inside = [name for name, problem in problems.items() if not problem]
    skipped = [*below.skipped, *(Skipped(name, problem) for name, problem in problems.items() if problem)]
    if not inside:
        loose = sum("/" not in name and _is_image(name) for name in below.files)
        what = f"{loose} images, but none in a class folder" if loose else "no image"
        named = [f"{item.example_id}: {item.reason}" for item in skipped[:3]]
        endings = f"endings read: {' '.join(image_endings())}"
        raise DataError(f"{root} holds {what}", hint="\n  ".join([LAYOUT, endings, *named]))
    classes = tuple(sorted({_class_of(name) for name in inside}))
    _check_names(classes, root=root)
    skipped += _empty_classes(root, classes)
    target = {name: index for index, name in enumerate(classes)}
    files = tuple(ImageFile(name, root / name, target[_class_of(name)]) for name in inside)
    return Listing(files=files, classes=classes, skipped=tuple(skipped))


def _problem(name: str) -> str:
    """Why a file is not taken; empty where it is."""
    if not _is_image(name):
        ending = PurePosixPath(name).suffix
        return f"no ending of an image that is read ({ending})" if ending else "no ending of an image"
    return "" if "/" in name else "lies outside of the class folders"


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in image_endings()


def _class_of(name: str) -> str:
    return name.partition("/")[0]


def _empty_classes(root: Path, classes: Iterable[str]) -> Iterator[Skipped]:
    with os.scandir(root) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    for name in folders:
        if name not in classes:
            yield Skipped(printable(f"{name}/"), "a class folder without an image")


def _check_names(classes: Iterable[str], *, root: Path) -> None:
    """Refuses names that differ only in how Unicode spells their letters; capital letters do make classes."""
    seen: dict[str, str] = {}
    for name in classes:
        other = seen.setdefault(unicodedata.normalize("NFC", name), name)
        if other != name:
            raise DataError(
                f"two class folders of {root} are called '{name}': {other!a} and {name!a}",
                hint="the letters are the same, spelt in two ways of Unicode: put the images into one folder",
            )
