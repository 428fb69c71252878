"""One cluster of everything, split in two, and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.moving_centres import Settled, cluster_by_means, nearest_for, squares_to_own
from polylens.clustering.rows_as_numbers import RowValues
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.streams import Streams

Split = Literal["largest_cluster", "biggest_inertia"]


@dataclass(frozen=True)
class _Part:
    """A cluster that may be split."""

    members: Int64[np.ndarray, "members"]
    own: Float64[np.ndarray, "members"]
    """Their squared distances to the centre."""
    centre: Float64[np.ndarray, "width"]
    can_be_split: bool
    """Whether not all of its rows are equal."""


def split_by_means(
    rows: RowValues,
    *,
    clusters: int,
    streams: Streams,
    split: Split,
    restarts: int,
    device: str,
    progress: Progress,
) -> Settled:
    """So many clusters, each split by 2-means; rows stay in the part that they fell into.

    Args:
        rows: the rows.
        clusters: how many, no more than there are distinct rows.
        streams: the randomness of the starts, a child for each split.
        split: the cluster that is split next, the first of equals.
        restarts: starts of each split.
        device: `cpu`, or a torch device.
        progress: where the work shows itself.

    Raises:
        DataError: the cluster with the most rows cannot be split, as they are all equal.
    """
    parts = [_whole(rows)]
    with progress.task("splits", total=clusters - 1, unit="splits") as task:
        while len(parts) < clusters:
            chosen = _next(parts, split)
            if not parts[chosen].can_be_split:
                raise DataError(
                    f"{clusters} clusters cannot be made: after {len(parts)}, the rows of the one to split "
                    "are all equal",
                    hint="use 'split: biggest_inertia', or ask for fewer clusters",
                )
            some = rows.take(parts[chosen].members)
            origin = some.mean()
            halves = cluster_by_means(
                some,
                nearest=nearest_for(some, origin=origin, device=device),
                origin=origin,
                clusters=2,
                streams=streams.child("split", len(parts)),
                restarts=restarts,
                progress=progress,
            )
            parts[chosen : chosen + 1] = _halves(rows, parts[chosen], halves)
            task.advance()
    labels, own = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
    for number, part in enumerate(parts):
        labels[part.members], own[part.members] = number, part.own
    return Settled(labels, own, np.stack([part.centre for part in parts]))


def _whole(rows: RowValues) -> _Part:
    centre = rows.mean()
    every = np.arange(len(rows), dtype=np.int64)
    own = squares_to_own(rows, centre[None], np.zeros_like(every))
    return _Part(every, own, centre, can_be_split=rows.count_distinct(enough=2) > 1)


def _next(parts: list[_Part], split: Split) -> int:
    if split == "largest_cluster":
        return int(np.argmax([len(part.members) for part in parts]))
    # Of equal rows rounding alone may leave a sum.
    return int(np.argmax([part.own.sum() if part.can_be_split else -1.0 for part in parts]))


def _halves(rows: RowValues, part: _Part, found: Settled) -> list[_Part]:
    halves = []
    for number, centre in enumerate(found.centres):
        chosen = found.labels == number
        members = part.members[chosen]
        differ = rows.take(members).count_distinct(enough=2) > 1
        halves.append(_Part(members, found.own[chosen], centre, can_be_split=differ))
    return halves
