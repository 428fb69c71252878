"""Documents that are files of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Skipped
from polylens.text.documents import Document, Documents, gone
from polylens.text.file_digests import contents_digest


class TextFiles(Documents):
    """The files below a folder that match a pattern, sorted by their path; hidden ones are passed over.

    Raises:
        DataError: there is no such folder, or no file in it matches.
    """

    def __init__(self, root: Path, *, pattern: str) -> None:
        self.title = str(root)
        self._root = root
        if not root.is_dir():
            found = "a file" if root.is_file() else "nothing"
            raise DataError(
                f"no folder of text at {root}: there is {found}",
                hint="'root' is relative to the project's data roots (mlflow.yaml), or absolute",
            )
        names = [path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file()]
        visible = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
        self._names = tuple(sorted(name for name in visible if _is_utf8(name)))
        self.skipped = tuple(
            Skipped(_printable(name), "its name is not UTF-8")
            for name in sorted(visible)
            if not _is_utf8(name)
        )
        if not self._names:
            raise DataError(
                f"no file in {root} matches '{pattern}'",
                hint="set 'pattern', such as '**/*.md' for Markdown files in all folders below",
            )

    def __len__(self) -> int:
        return len(self._names)

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of all names and contents, remembered while a file stays as it is."""
        files = [(name, self._root / name) for name in self._names]
        return contents_digest(files, root=self._root, cache=cache, progress=progress)

    def read(self, numbers: Sequence[int]) -> Iterator[Document]:
        """These files one by one; one that is not UTF-8 says so."""
        for number in numbers:
            name = self._names[number]
            try:
                yield Document(name, self._decoded(name))
            except OSError as error:
                yield Document(name, "", f"cannot be read: {error.strerror}")
            except UnicodeDecodeError as error:
                yield Document(
                    name, "", f"not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}"
                )

    def text(self, name: str) -> str:
        """One file's text, read again."""
        try:
            return self._decoded(name)
        except (OSError, UnicodeDecodeError) as error:
            raise gone(name, title=self.title, why=str(error)) from error

    def _decoded(self, name: str) -> str:
        # With a mark of byte order or without; line ends stay as they are, so that offsets do.
        return (self._root / name).read_bytes().decode("utf-8-sig")


def _is_utf8(name: str) -> bool:
    # Names that are not UTF-8 arrive with stand-ins that neither JSON nor Parquet can hold.
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _printable(name: str) -> str:
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
