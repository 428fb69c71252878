"""Which files lie below a folder, and what there is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from polylens.errors import nearest
from polylens.records import Skipped


@dataclass(frozen=True)
class Below:
    """What lies below a folder."""

    files: tuple[str, ...]
    """Paths below the folder with `/` between their parts, sorted; none leads out of the folder."""
    skipped: tuple[Skipped, ...]
    """Everything else that is no plain folder, with the reason, sorted."""


def files_below(root: Path) -> Below:
    """The visible files below a folder, in folders of any depth. Links are followed, but never in a circle.

    Args:
        root: a folder.
    """
    files: list[str] = []
    skipped: list[Skipped] = []
    for name, problem in _walk(root, "", ancestors=()):
        if problem:
            skipped.append(Skipped(printable(name), problem))
        elif not is_utf8(name):
            skipped.append(Skipped(printable(name), "its name is not UTF-8"))
        else:
            files.append(name)
    return Below(tuple(sorted(files)), tuple(sorted(skipped, key=lambda item: item.example_id)))


def there_instead(path: Path) -> str:
    """What lies where something else was looked for, and the path beside it that is most like it.

    Args:
        path: of a file or folder that is not there, or is of the other kind.
    """
    if path.exists():
        return "a folder" if path.is_dir() else "a file"
    missing = path
    while not missing.parent.is_dir() and missing.parent != missing:
        missing = missing.parent
    try:
        names = sorted(each.name for each in missing.parent.iterdir())
    except OSError:
        return "nothing"
    near = nearest(missing.name, names)
    return "nothing" if near is None else f"nothing; did you mean '{missing.parent / near}'?"


def is_utf8(name: str) -> bool:
    """Whether a name can be written down; others arrive with stand-ins that JSON and Parquet cannot hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def printable(name: str) -> str:
    """A name with its bytes that are not UTF-8 spelt out.

    >>> printable("caf\\udce9.txt")
    'caf\\\\xe9.txt'
    """
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _walk(folder: Path, below: str, *, ancestors: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, str]]:
    """Name and problem of all that lies in a folder; a problem is empty for a file that can be taken."""
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield f"{below}/", f"a folder that cannot be read: {error.strerror}"
        return
    here = (*ancestors, (status.st_dev, status.st_ino))
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith("."):
            yield _hidden(entry, name)
        elif entry.is_dir():
            if _place(entry) in here:
                yield f"{name}/", "a link to a folder that it lies in"
            else:
                yield from _walk(Path(entry.path), name, ancestors=here)
        elif entry.is_file():
            yield name, ""
        else:
            yield name, "a link to nothing" if entry.is_symlink() else "neither a file nor a folder"


def _hidden(entry: os.DirEntry[str], name: str) -> tuple[str, str]:
    if not entry.is_dir(follow_symlinks=False):
        return name, "hidden"
    count = sum(len(files) for _, _, files in os.walk(entry.path))
    return f"{name}/", f"a hidden folder of {count} {'file' if count == 1 else 'files'}"


def _place(entry: os.DirEntry[str]) -> tuple[int, int]:
    status = entry.stat()
    return status.st_dev, status.st_ino
