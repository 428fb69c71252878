"""Shards: fixed ranges of examples, the unit of resuming and of sharing work."""

from __future__ import annotations

from dataclasses import dataclass

SHARD = 256
"""Examples a shard at most, the same for every batch size and number of processes."""
SHARD_BYTES = 1 << 27
"""Of rows that a shard of several examples holds at most: they stay on the device until it is written."""


@dataclass(frozen=True)
class Shard:
    """A fixed range of examples."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def shard_size(example_bytes: int) -> int:
    """Examples a shard: 256, or half of it and so on, so that rows of so many bytes an example fit.

    >>> shard_size(2_304), shard_size(1_526_464), shard_size(10**9)
    (256, 64, 1)
    """
    size = SHARD
    while size > 1 and size * example_bytes > SHARD_BYTES:
        size //= 2
    return size


def shards_of(n_examples: int, *, size: int = SHARD) -> tuple[Shard, ...]:
    """All shards of a dataset, in order.

    >>> shards_of(300)
    (Shard(start=0, stop=256), Shard(start=256, stop=300))
    """
    return tuple(Shard(start, min(start + size, n_examples)) for start in range(0, n_examples, size))
