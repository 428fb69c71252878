"""Keys of a spec that comes as a dictionary from Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polylens.errors import UsageError


def check_keys(value: Any, path: str = "") -> None:
    """Refuses maps with keys that are no texts: PyYAML makes True of the key `on`, and it is lost.

    Raises:
        UsageError: a key is no text; says where, and what may have made it so.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                where = f" in '{path}'" if path else ""
                read_from_yaml = (
                    "PyYAML reads `on:`, `yes:` and `no:` as true and false; give polylens the file, or "
                    "quote the key there"
                )
                raise UsageError(
                    f"the key {key!r}{where} is no text",
                    hint=read_from_yaml if isinstance(key, bool) else "keys of a spec are texts",
                )
            check_keys(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_keys(item, f"{path}.{index}")
