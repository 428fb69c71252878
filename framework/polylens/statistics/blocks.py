"""Examples as blocks of rows: the rows of one example move together in every permutation and resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, Shaped

_STRATUM = 20
"""Fewest examples among which classes are shuffled where examples differ in their number of rows."""


@dataclass(frozen=True)
class Blocks:
    """The blocks of rows that share an example."""

    block: Int64[np.ndarray, "rows"]
    """Block of each row: 0, 1, ... by rising example."""
    first: Int64[np.ndarray, "blocks"]
    """The first row of each block."""
    sizes: Int64[np.ndarray, "blocks"]
    """Rows of each block."""

    @staticmethod
    def of(example: Int64[np.ndarray, "rows"]) -> Blocks:
        """The blocks of rows whose examples these are.

        >>> Blocks.of(np.array([7, 3, 7])).sizes
        array([1, 2])
        """
        _, first, block, sizes = np.unique(
            example, return_index=True, return_inverse=True, return_counts=True
        )
        return Blocks(
            block=block.astype(np.int64), first=first.astype(np.int64), sizes=sizes.astype(np.int64)
        )

    def __len__(self) -> int:
        return len(self.first)

    def counts(self, labels: Int64[np.ndarray, "rows"], n_labels: int) -> Int64[np.ndarray, "blocks labels"]:
        """Rows of each block that carry each label; negative labels are not counted."""
        kept = labels >= 0
        flat = np.bincount(self.block[kept] * n_labels + labels[kept], minlength=len(self) * n_labels)
        return flat.reshape(len(self), n_labels).astype(np.int64)

    def strata(self) -> tuple[Int64[np.ndarray, "some"], ...]:
        """Groups of blocks of equal size; sizes that few blocks have are grouped with the next larger ones.

        Shuffling within a group keeps the number of rows of each class: exactly where all examples have
        equally many rows, and closely where they do not.
        """
        order = np.argsort(self.sizes, kind="stable").astype(np.int64)
        edges = np.flatnonzero(np.diff(self.sizes[order])) + 1
        groups: list[Int64[np.ndarray, "some"]] = []
        start = 0
        for edge in [*edges.tolist(), len(order)]:
            if edge - start >= _STRATUM or edge == len(order):
                groups.append(order[start:edge])
                start = edge
        if len(groups) > 1 and len(groups[-1]) < _STRATUM:
            groups[-2:] = [np.concatenate(groups[-2:])]
        return tuple(groups)

    def shuffled_classes(
        self, targets: Int64[np.ndarray, "rows"], generator: np.random.Generator
    ) -> Int64[np.ndarray, "rows"]:
        """The targets with whole examples' classes exchanged among examples of equal size."""
        classes = targets[self.first]
        for group in self.strata():
            classes[group] = classes[generator.permutation(group)]
        return np.asarray(classes[self.block], dtype=np.int64)

    def moved_rows(self, generator: np.random.Generator) -> Int64[np.ndarray, "rows"]:
        """A permutation of rows that exchanges whole examples with equally many rows, their order kept."""
        order = np.argsort(self.block, kind="stable")
        starts = np.cumsum(self.sizes) - self.sizes
        source = np.arange(len(self.block), dtype=np.int64)
        for size in np.unique(self.sizes):
            same = np.flatnonzero(self.sizes == size)
            rows = order[starts[same][:, None] + np.arange(size)]
            source[rows] = rows[generator.permutation(len(same))]
        return source

    def relaid_rows(
        self, generator: np.random.Generator, *, within: Int64[np.ndarray, "rows"] | None = None
    ) -> Int64[np.ndarray, "rows"]:
        """A permutation of rows: whole examples laid end to end, in random order, over the rows.

        Rows of one example stay neighbours in their order, however many rows examples have. Where all have
        equally many, whole examples change places.

        Args:
            generator: draws the order of examples.
            within: rows are only exchanged with rows of the same value.
        """
        group = np.zeros(len(self.block), np.int64) if within is None else within
        rank = generator.permutation(len(self))
        source = np.empty(len(self.block), dtype=np.int64)
        source[np.lexsort((self.block, group))] = np.lexsort((rank[self.block], group))
        return source

    def rows_shuffled_within(self, generator: np.random.Generator) -> Int64[np.ndarray, "rows"]:
        """A permutation of rows that exchanges rows of the same example only."""
        source = np.empty(len(self.block), dtype=np.int64)
        source[np.argsort(self.block, kind="stable")] = np.lexsort(
            (generator.random(len(self.block)), self.block)
        )
        return source

    def multiplicities(self, generator: np.random.Generator) -> Int64[np.ndarray, "blocks"]:
        """How often each block is drawn when as many blocks are drawn with replacement (the bootstrap)."""
        drawn = generator.integers(len(self), size=len(self))
        return np.bincount(drawn, minlength=len(self)).astype(np.int64)

    def rows_of(self, chosen: Shaped[np.ndarray, "some"]) -> Int64[np.ndarray, "chosen"]:
        """The rows of the chosen blocks (by index), ascending."""
        kept = np.zeros(len(self), dtype=bool)
        kept[chosen] = True
        return np.flatnonzero(kept[self.block]).astype(np.int64)
