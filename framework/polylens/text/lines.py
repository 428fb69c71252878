"""Lines of a file in any encoding, read from any place on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from polylens.errors import DataError
from polylens.text.encodings import HEAD, UnreadableTextError, encoding_of

_CHUNK = 1 << 16
STAND_IN = "\udcff"
"""Stands at the end of a line that is not in the file's encoding, as others stand for single bytes."""


@dataclass(frozen=True)
class LineFormat:
    """What a line of a file is."""

    encoding: str
    end: bytes
    """What ends a line: LF (CRLF ends with one), or CR where it ends the first one alone."""
    start: int
    """Where the first line begins, after a mark of byte order."""

    def text(self, line: bytes) -> str:
        """The letters of a line; what is not in the encoding comes as stand-ins."""
        if not self.encoding.startswith(("utf-16", "utf-32")):
            return line.decode(self.encoding, errors="surrogateescape")
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError:
            return line.decode(self.encoding, errors="ignore") + STAND_IN


def line_format(path: Path, *, encoding: str | None) -> LineFormat:
    """How the lines of a file are encoded and ended, from its beginning.

    Args:
        path: the file.
        encoding: the one that is asked for; None takes that of the file's mark of byte order, or UTF-8.

    Raises:
        DataError: it cannot be read, or looks like UTF-16 without a mark.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
        name, start = encoding_of(head, given=encoding)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except UnreadableTextError as error:
        raise DataError(f"{path} is not UTF-8: {error}", hint="or write it again as UTF-8") from None
    form = LineFormat(name, "\n".encode(name), start)
    first, feed, _ = form.text(head[start:]).partition("\n")
    # At the end of what was read, a CR may be the first half of CRLF.
    if feed or len(head) == HEAD:
        first = first.removesuffix("\r")
    return LineFormat(name, "\r".encode(name), start) if "\r" in first else form


class Lines:
    """The lines of a file one after the other, and the place of the next one."""

    def __init__(self, stream: BinaryIO, form: LineFormat) -> None:
        self._stream, self._form = stream, form
        self._held, self._held_from = b"", 0
        self.count = 0
        """Lines read so far."""
        self.seek(form.start)

    def seek(self, position: int) -> None:
        """Goes to a place where a line begins."""
        self.position = position
        if not self._held_from <= position <= self._held_from + len(self._held):
            self._stream.seek(position)
            self._held, self._held_from = b"", position

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        """The next line, its end included."""
        start = self.position - self._held_from
        stop = self._stop(start)
        while stop < 0:
            # As much again as there is, so that a long line is not copied for each piece of it.
            more = self._stream.read(max(_CHUNK, len(self._held) - start))
            searched = len(self._held) - start
            self._held, self._held_from = self._held[start:] + more, self.position
            stop, start = self._stop(0, searched) if more else len(self._held), 0
        if stop == start:
            raise StopIteration
        line = self._held[start:stop]
        self.position += len(line)
        self.count += 1
        return self._form.text(line)

    def _stop(self, start: int, searched: int = 0) -> int:
        """The end of the line that begins at `start` of what is held; -1 where more has to be read.

        Args:
            start: the offset at which the line begins.
            searched: bytes of it that are known to hold no whole end of a line.
        """
        end, width = self._form.end, len(self._form.end)
        offset = self._held.find(end, start + max(searched - width + 1, 0))
        # The bytes of an end may lie across two letters.
        while offset >= 0 and (offset - start) % width:
            offset = self._held.find(end, offset + 1)
        return offset if offset < 0 else offset + width
