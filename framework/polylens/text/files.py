"""Documents that are files of plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from polylens.digests import digest
from polylens.errors import DataError
from polylens.folders import files_below, there_instead
from polylens.progress import Progress
from polylens.records import Skipped
from polylens.text.documents import Documents, TextDocument, gone
from polylens.text.encodings import UnreadableTextError, as_text
from polylens.text.file_digests import contents_digest

_VERSION = 2
"""Raised when the same files give other documents; part of every fingerprint."""


class FileDocuments(Documents):
    """The files below a folder that match a pattern, sorted by their path.

    Those that do not match are counted in `skipped`, by their ending; hidden ones are named there.

    Args:
        root: the folder.
        pattern: what paths below match: `*` stands for any letters of a name, `**` for folders of any depth.
            Capital letters in an ending count as small ones.
        encoding: how the files are encoded; None takes a file's mark of byte order, or UTF-8.
        only: chooses among the names of those that match; None takes all.

    Raises:
        DataError: there is no such folder, or no file in it matches.
    """

    def __init__(
        self,
        root: Path,
        *,
        pattern: str,
        encoding: str | None = None,
        only: Callable[[tuple[str, ...]], frozenset[str]] | None = None,
    ) -> None:
        self.title = str(root)
        self._root, self._encoding = root, encoding
        if not root.is_dir():
            raise DataError(
                f"no folder of text at {root}: there is {there_instead(root)}",
                hint="'root' is relative to the project's data roots (mlflow.yaml), or absolute",
            )
        below = files_below(root)
        self._names = tuple(name for name in below.files if _matches(name, pattern))
        self.skipped = (*below.skipped, *_others(set(below.files) - set(self._names), pattern=pattern))
        if not self._names:
            raise DataError(
                f"no file in {root} matches '{pattern}'",
                hint="\n  ".join(
                    [
                        "set 'pattern', such as '**/*.md' for Markdown files in all folders below",
                        *(f"{item.example_id}: {item.reason}" for item in self.skipped[:3]),
                    ]
                ),
            )

        if only is not None:
            chosen = only(self._names)
            self._names = tuple(name for name in self._names if name in chosen)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of the documents below the folder, sorted."""
        return self._names

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of names and contents, remembered while a file stays as it is, and of how it is read."""
        files = [(name, self._root / name) for name in self._names]
        contents = contents_digest(files, root=self._root, cache=cache, progress=progress)
        return digest({"version": _VERSION, "contents": contents, "encoding": self._encoding})

    def read(self, numbers: Sequence[int]) -> Iterator[TextDocument]:
        """These files one by one; one that is not in the encoding says so."""
        for number in numbers:
            name = self._names[number]
            try:
                yield TextDocument(name, self._decode(name))
            except OSError as error:
                yield TextDocument(name, "", f"cannot be read: {error.strerror}")
            except UnreadableTextError as error:
                yield TextDocument(name, "", str(error))

    def text(self, name: str) -> str:
        """One file's text, read again."""
        try:
            return self._decode(name)
        except (OSError, UnreadableTextError) as error:
            raise gone(name, title=self.title, why=str(error)) from error

    def _decode(self, name: str) -> str:
        return as_text((self._root / name).read_bytes(), encoding=self._encoding)


def _matches(name: str, pattern: str) -> bool:
    return _parts_match(_plain(name), _plain(pattern))


def _plain(path: str) -> tuple[str, ...]:
    """The parts of a path or a pattern, the ending of the last in small letters."""
    *folders, last = [part for part in path.split("/") if part not in ("", ".")] or [""]
    stem, dot, ending = last.rpartition(".")
    return (*folders, f"{stem}{dot}{ending.lower()}" if dot else last)


def _parts_match(parts: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if not patterns or not parts:
        return not parts and not patterns
    first, rest = patterns[0], patterns[1:]
    if first == "**":
        # At the end it stands for files in folders of any depth, elsewhere for folders alone.
        return not rest or any(_parts_match(parts[depth:], rest) for depth in range(len(parts)))
    return fnmatchcase(parts[0], first) and _parts_match(parts[1:], rest)


def _others(names: set[str], *, pattern: str) -> Iterator[Skipped]:
    """Files that do not match, one entry for each ending: there may be thousands that nobody asked for."""
    by_ending: dict[str, list[str]] = {}
    for name in sorted(names):
        by_ending.setdefault(PurePosixPath(name).suffix.lower(), []).append(name)
    for ending, alike in by_ending.items():
        more = len(alike) - 1
        kind = f"ending in {ending}" if ending else "without an ending"
        as_well = f", nor do {more} more {kind}" if more else ""
        yield Skipped(alike[0], f"does not match '{pattern}'{as_well}")
