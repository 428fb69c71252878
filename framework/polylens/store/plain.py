"""JSON files: readable, with a fixed layout, and without the non-standard NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write_json(path: Path, value: Any) -> None:
    """Writes plain data, where NumPy's scalars count as plain; map order is kept.

    Raises:
        ValueError: a float is not finite; write it with `plain_float`.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=_plain_scalar)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def plain_float(value: float | None) -> float | str | None:
    """A float as JSON can hold it: `nan`, `inf` and `-inf` become strings.

    >>> plain_float(float("nan")), plain_float(0.5)
    ('nan', 0.5)
    """
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else repr(value)


def from_plain_float(value: float | str | None) -> float | None:
    """The float that `plain_float` wrote.

    >>> from_plain_float("-inf")
    -inf
    """
    return None if value is None else float(value)


def texts_in(value: Any) -> Iterator[str]:
    """Every text that plain data holds as a value, however deep.

    >>> list(texts_in({"a": ["x", 1], "b": {"c": "y"}}))
    ['x', 'y']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain data")
