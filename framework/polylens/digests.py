"""Digests: short names for values and files that change exactly when the contents do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_LENGTH = 32
"""Hexadecimal digits kept (128 bits): collisions are out of reach and file names stay readable."""


def digest(value: Any) -> str:
    """The digest of plain data (maps, lists, strings, numbers, booleans, None), independent of key order.

    Raises:
        TypeError: `value` holds something that is not plain data.
        ValueError: a number is not finite.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> len(digest("polytope"))
    32
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_stamp(path: Path) -> str:
    """What a file has while it stays as it is: size, both times of change and place; "missing" without one.

    A file that is put back with its old time (`cp -p`, `rsync -t`, a clock set back) has another stamp, since
    the system alone sets the second of the times.
    """
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
