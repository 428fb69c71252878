"""Bytes as text: by the mark of byte order that a file begins with, a name that is given, or UTF-8."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before those of UTF-16, which the little one begins with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
HEAD = 1 << 16
"""Bytes of a file's beginning that tell how it is encoded."""


class UnreadableTextError(ValueError):
    """Bytes are no text in the encoding they should be in; the message says why."""


def encoding_of(head: bytes, *, given: str | None) -> tuple[str, int]:
    """How a file is encoded, and how many bytes its mark of byte order takes.

    Args:
        head: the first `HEAD` bytes of the file, or all where it is shorter.
        given: the encoding that is asked for. The file's own mark counts more.

    Raises:
        UnreadableTextError: nothing is asked for, and the bytes look like UTF-16 without a mark, which would
            be valid UTF-8 with a NUL beside every letter.

    >>> encoding_of(b"\\xff\\xfeh\\x00i\\x00", given=None)
    ('utf-16-le', 2)
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    if given is not None:
        return given, 0
    for name, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        nuls, others = head[first::2], head[1 - first :: 2]
        if nuls and others and nuls.count(0) > len(nuls) / 2 and others.count(0) < len(others) / 10:
            raise UnreadableTextError(
                f"it looks like {name} without a mark of byte order; 'encoding' says so"
            )
    return "utf-8", 0


def as_text(content: bytes, *, encoding: str | None) -> str:
    """A file's content as text, without its mark of byte order. Line ends stay as they are.

    Raises:
        UnreadableTextError: it is not in the encoding; says which byte is not.

    >>> as_text(b"caf\\xe9", encoding="cp1252")
    'café'
    """
    name, mark = encoding_of(content[:HEAD], given=encoding)
    try:
        return content[mark:].decode(name)
    except UnicodeDecodeError as error:
        offset = error.start + mark
        raise UnreadableTextError(
            f"not {name.upper()}: byte 0x{content[offset]:02x} at {offset}{another(encoding)}"
        ) from None


def another(encoding: str | None) -> str:
    """What to do where an encoding was not asked for and UTF-8 does not fit."""
    return "" if encoding is not None else " ('encoding' names another, such as cp1252)"
