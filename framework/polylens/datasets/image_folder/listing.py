"""Which image files lie in a folder of classes."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from polylens.datasets._image_formats import image_endings
from polylens.errors import DataError, listed, nearest
from polylens.folders import files_below, printable, there_instead
from polylens.records import Skipped

LAYOUT = (
    "expected is one folder per class: ROOT/CLASS/IMAGE.png; folders inside of a class folder are fine too"
)

_EMPTY = "a class folder without an image"


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
    """All other files, links that lead nowhere, class folders without an image, and classes left out."""


def list_images(
    root: Path, *, depth: int = 1, chosen: Sequence[str] | None = None, obtain: str | None = None
) -> Listing:
    """The image files of each class folder. Links are followed, but never in a circle.

    Args:
        root: the folder.
        depth: how many folders below it make the class.
        chosen: the classes that are taken; all where it is None.
        obtain: what to do where there is no such folder, for the message.

    Raises:
        DataError: no such folder or class, no images in class folders, or two class folders of one name.
    """
    if not root.is_dir():
        found = there_instead(root)
        raise DataError(f"no image folder at {root}: there is {found}", hint=obtain or LAYOUT)
    below = files_below(root)
    problems = {name: _problem(name, depth=depth) for name in below.files}
    inside = [name for name, problem in problems.items() if not problem]
    skipped = [*below.skipped, *(Skipped(name, problem) for name, problem in problems.items() if problem)]
    if not inside:
        loose = sum(_is_image(name) for name in below.files)
        where = "a class folder" if depth == 1 else f"a class folder, which lies {depth} folders deep"
        what = f"{loose} images, but none in {where}" if loose else "no image"
        named = [f"{item.example_id}: {item.reason}" for item in skipped[:3]]
        endings = f"endings read: {' '.join(image_endings())}"
        raise DataError(f"{root} holds {what}", hint="\n  ".join([LAYOUT, endings, *named]))
    counts = Counter(_class_of(name, depth) for name in inside)
    there = tuple(sorted(counts))
    _check_names(there, root=root)
    known = {item.example_id for item in skipped}
    empty = (f"{name}/" for name in _folders(root, depth) if name not in counts)
    skipped += [Skipped(name, _EMPTY) for name in map(printable, empty) if name not in known]
    classes = _choose(there, chosen, root=root)
    skipped += [
        Skipped(f"{name}/", f"none of the classes that were chosen ({counts[name]} images)")
        for name in there
        if name not in classes
    ]
    target = {name: index for index, name in enumerate(classes)}
    files = tuple(
        ImageFile(name, root / name, target[_class_of(name, depth)])
        for name in inside
        if _class_of(name, depth) in target
    )
    return Listing(files=files, classes=classes, skipped=tuple(skipped))


def _choose(there: Sequence[str], chosen: Sequence[str] | None, *, root: Path) -> tuple[str, ...]:
    """The classes that are taken, sorted."""
    if chosen is None:
        return tuple(there)
    for name in chosen:
        if name not in there:
            close = nearest(name, there)
            guess = "" if close is None else f"; did you mean '{close}'?"
            raise DataError(
                f"{root} has no class '{name}'{guess}", hint=f"classes: {listed(tuple(there), most=20)}"
            )
    return tuple(sorted(chosen))


def _problem(name: str, *, depth: int) -> str:
    """Why a file is not taken; empty where it is."""
    if not _is_image(name):
        ending = PurePosixPath(name).suffix
        return f"no ending of an image that is read ({ending})" if ending else "no ending of an image"
    folders = name.count("/")
    if folders >= depth:
        return ""
    return "lies less deep than the class folders" if folders else "lies outside of the class folders"


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in image_endings()


def _class_of(name: str, depth: int) -> str:
    return "/".join(name.split("/")[:depth])


def _folders(root: Path, depth: int) -> Iterator[str]:
    """The visible folders that lie `depth` deep, sorted."""
    try:
        with os.scandir(root) as entries:
            names = sorted(item.name for item in entries if item.is_dir() and not item.name.startswith("."))
    except OSError:  # it is named with the files
        return
    for name in names:
        if depth == 1:
            yield name
        else:
            yield from (f"{name}/{inner}" for inner in _folders(root / name, depth - 1))


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
