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
