"""Names of clusters and of lines that change exactly when what they stand for does."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from jaxtyping import Bool

from polylens.digests import digest
from polylens.records import Partition, Rows

_LETTERS = "bdfghjkmnpqrtvwxz"
"""Without vowels no name is a word or a month, and without digits no spreadsheet takes it for a number."""
_LENGTH = 10


def item_id(of: Any) -> str:
    """A name of ten letters for plain data.

    >>> item_id(["a cluster", 0]) == item_id(["a cluster", 0]), item_id(["a cluster", 1])
    (True, 'bhrgzxrvfp')
    """
    number, letters = int(digest(of), 16), []
    for _ in range(_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def clusters_digest(rows: Rows, partition: Partition) -> str:
    """Digest of which rows are in which cluster, and of which examples and positions the rows are.

    Args:
        rows: that were partitioned.
        partition: the clusters.
    """
    hashed = hashlib.sha256(digest(list(rows.origins.example_ids)).encode())
    for numbers in (partition.labels, rows.origins.example, rows.origins.position):
        hashed.update(np.ascontiguousarray(numbers, dtype="<i8").tobytes())
    return hashed.hexdigest()[:32]


def cluster_id(clusters: str, held_out: Bool[np.ndarray, "rows"], cluster: int) -> str:
    """The name of one cluster on a sheet.

    Whoever judges it is shown rows of the naming half alone, so another split gives another name.

    Args:
        clusters: what `clusters_digest` gives.
        held_out: which rows are kept from naming.
        cluster: its number.
    """
    split = hashlib.sha256(np.packbits(held_out).tobytes()).hexdigest()
    return item_id([clusters, split, cluster])
