"""JSON files: readable, with a fixed layout, and without the non-standard NaN."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def as_plain(value: Any) -> Any:
    """Plain data as `read_json` would give it back."""
    return json.loads(json.dumps(value, allow_nan=False, default=_plain_scalar))


def json_bytes(value: Any) -> bytes:
    """Plain data, where NumPy's scalars count as plain, as `read_json` reads it; map order is kept.

    Raises:
        ValueError: a float is not finite; write it with `plain_float`.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=_plain_scalar)
    return f"{text}\n".encode()


def write_json(path: Path, value: Any) -> None:
    """Writes plain data as `json_bytes` has it; raises as that does."""
    path.write_bytes(json_bytes(value))


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


def digests_in(value: Any) -> Iterator[str]:
    """Every digest that plain data names, however deep, also within a text.

    >>> list(digests_in({"stages": [f"random_init#2:{'ab' * 16}"], "seed": 0}))
    ['abababababababababababababababab']
    """
    if isinstance(value, str):
        yield from _DIGEST.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from digests_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from digests_in(item)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain data")
