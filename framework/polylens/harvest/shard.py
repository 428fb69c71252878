"""Shards: fixed ranges of examples, the unit of resuming and of sharing work."""

from __future__ import annotations

from dataclasses import dataclass

SHARD = 256
"""Examples a shard, the same for every batch size and number of processes."""


@dataclass(frozen=True)
class Shard:
    """A fixed range of examples."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def shards_of(n_examples: int) -> tuple[Shard, ...]:
    """All shards of a dataset, in order.

    >>> shards_of(300)
    (Shard(start=0, stop=256), Shard(start=256, stop=300))
    """
    return tuple(Shard(start, min(start + SHARD, n_examples)) for start in range(0, n_examples, SHARD))
