"""What a plain (unquoted) scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1."""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
DECIMAL = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MOST_DIGITS = 400
"""No number of an experiment is longer, and Python refuses to convert very long ones."""


def scalar(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a number that is not finite, or too long to be meant.

    Source: YAML 1.2.2, section 10.3.2 (core schema).

    >>> scalar("1e-4"), scalar("010"), scalar("no"), scalar("12:30:45")
    (0.0001, 10, 'no', '12:30:45')
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if NOT_FINITE.fullmatch(text):
        raise ValueError(f"'{text}' is not a finite number; quote it if a text is meant")
    for pattern, base in ((DECIMAL, 10), (OCTAL, 8), (HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            if len(text) > _MOST_DIGITS:
                raise ValueError("a number of this length cannot be meant; quote it if a text is meant")
            return int(text[2:] if base != 10 else text, base)
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"'{text[:40]}' is too large for a number; quote it if a text is meant")
        return number
    return text
