"""Keys at which the specs of several runs differ, and where each value was written."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.analyses import NETWORK
from polylens.report import SpecDifference
from polylens.study.sides import Side
from polylens.tracking import flatten


def spec_differences(sides: Sequence[Side]) -> tuple[SpecDifference, ...]:
    """Every dotted key whose values are not the same on all sides, in the order of the specs.

    Which network of a run a side is stands first, under `network`; then how many examples were taken, where
    that was limited.
    """
    flat = [_fields(side) for side in sides]
    keys = dict.fromkeys(key for fields in flat for key in fields)
    differing = [key for key in keys if len({fields.get(key) for fields in flat}) > 1]
    return tuple(
        SpecDifference(
            key,
            tuple(fields.get(key) for fields in flat),
            tuple(
                side.run.origins.get(key, "") if key in fields else ""
                for side, fields in zip(sides, flat, strict=True)
            ),
        )
        for key in differing
    )


def _fields(side: Side) -> dict[str, str]:
    limit = side.run.params.get("limit")
    network = "own" if side.variant == NETWORK else side.title.rpartition(":")[2].removesuffix(side.suffix)
    limited = {} if limit is None else {"limit": limit}
    return {"network": network, **limited, **flatten(side.run.spec)}
