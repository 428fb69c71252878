"""Params: the scientific fields of a spec, flat, dotted and short enough for MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from polylens.tracking.names import cut, key_name, text

LONGEST = 6000
"""Characters MLflow keeps of a param."""
WHOLE = "spec/params.json"
"""The artifact that holds every param whole, where one had to be cut."""


def flatten(value: Mapping[str, Any]) -> dict[str, str]:
    """Dotted keys and texts; lists of plain values stay one text, lists of maps are numbered.

    >>> flatten({"model": {"kind": "mlp", "hidden": [64, 64]}, "controls": [{"kind": "second_seed"}]})
    {'model.kind': 'mlp', 'model.hidden': '[64, 64]', 'controls.0.kind': 'second_seed'}
    """
    return dict(_leaves(value, ""))


def shorten(params: Mapping[str, str]) -> dict[str, str]:
    """The params as MLflow takes them: keys in its alphabet, values cut to `LONGEST`."""
    rest = f" ... (whole: {WHOLE})"
    return {key_name(key): cut(text(value), longest=LONGEST, rest=rest) for key, value in params.items()}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}")
    elif isinstance(value, str) and value:
        yield path, value
    elif path:
        yield path, json.dumps(value, ensure_ascii=False, default=str)
