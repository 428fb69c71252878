"""Where each value of one child's spec was written: a file with line and column, `--set`, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polylens.spec import Study


def origins_of(study: Study, point: Mapping[str, Any]) -> dict[str, str]:
    """By dotted key of the resolved spec, the place of its value; that of a swept value is in the sweep.

    Args:
        study: the spec, with its children.
        point: values of the child's swept keys.
    """
    origins = {origin.path: origin.where for origin in study.origins()}
    swept = (study.resolved.get("sweep") or {}).keys() & point.keys()
    for key in swept:
        place = study.place_of(f"sweep.{key}")
        where = f"{place.file}:{place.line}:{place.column}"
        origins |= {path: where for path in origins if path == key or path.startswith(f"{key}.")} | {
            key: where
        }
    return origins
