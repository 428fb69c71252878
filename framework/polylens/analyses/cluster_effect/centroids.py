"""Means of sets of rows, put in place of one row: never with rows of its own example."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64

from polylens.analyses._changes.interventions import RowChange
from polylens.records import row_pieces
from polylens.statistics import Blocks


class Centroids:
    """Means of the rows of each label, without the rows of one example."""

    def __init__(
        self,
        activations: Float[np.ndarray, "rows width"],
        labels: Int64[np.ndarray, "rows"],
        *,
        blocks: Blocks,
    ) -> None:
        self._activations = activations
        self._labels = labels
        self._blocks = blocks
        self._order = np.argsort(blocks.block, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(blocks.sizes)])
        n_labels = int(labels.max(initial=-1)) + 1
        self.counts = np.bincount(labels[labels >= 0], minlength=n_labels)
        self.sums = np.zeros((n_labels, activations.shape[1]))
        members = np.flatnonzero(labels >= 0)
        for some in row_pieces(len(members), activations.shape[1]):
            part = members[some]
            np.add.at(self.sums, labels[part], activations[part].astype(np.float64))

    @property
    def means(self) -> Float64[np.ndarray, "labels width"]:
        """The mean of all rows of each label; zero where a label has no rows."""
        return np.asarray(self.sums / np.maximum(self.counts, 1)[:, None])

    def without(self, row: int, *, label: int) -> Float64[np.ndarray, "width"] | None:
        """The mean of a label's rows that are not of the row's example; None where there are none."""
        block = int(self._blocks.block[row])
        own = self._order[self._starts[block] : self._starts[block + 1]]
        own = own[self._labels[own] == label]
        left = int(self.counts[label]) - len(own)
        if left < 1:
            return None
        return np.asarray((self.sums[label] - self._activations[own].sum(0, dtype=np.float64)) / left)


def nearest_labels(means: Float64[np.ndarray, "labels width"]) -> Int64[np.ndarray, "labels"]:
    """The label whose mean is nearest to each one's, itself not counted; -1 where there is no other.

    >>> nearest_labels(np.array([[0.0], [1.0], [5.0]])).tolist()
    [1, 0, 1]
    """
    if len(means) < 2:
        return np.full(len(means), -1, dtype=np.int64)
    squares = np.einsum("lw,lw->l", means, means)
    distances = squares[:, None] + squares[None] - 2 * means @ means.T
    np.fill_diagonal(distances, np.inf)
    return np.asarray(distances.argmin(1), dtype=np.int64)


def replacement_by(
    find: Callable[[int], Float64[np.ndarray, "width"] | None],
    chosen: Int64[np.ndarray, "chosen"],
) -> tuple[RowChange, Bool[np.ndarray, "chosen"]]:
    """A change of the network that puts a vector of its own in place of each chosen row.

    Args:
        find: gives the vector that takes a row's place; None leaves the row as it is.
        chosen: the rows that are changed.

    Returns:
        The change, and for which of the chosen rows there is a vector.
    """
    vectors = {int(row): find(int(row)) for row in chosen}

    def replace(
        values: Float[torch.Tensor, "batch parts width"], rows: Int64[np.ndarray, "batch"]
    ) -> Float[torch.Tensor, "batch parts width"]:
        new = values.clone()
        for index, row in enumerate(rows):
            vector = vectors[int(row)]
            if vector is not None:
                new[index] = torch.from_numpy(vector).to(values).reshape(values.shape[1:])
        return new

    return replace, np.array([vectors[int(row)] is not None for row in chosen])


def members_of(
    labels: Int64[np.ndarray, "rows"], *, clusters: Sequence[int], most: int, generator: np.random.Generator
) -> Int64[np.ndarray, "chosen"]:
    """Up to `most` members of each cluster, drawn at random; ascending."""
    drawn = []
    for cluster in clusters:
        members = np.flatnonzero(labels == cluster)
        if len(members) > most:
            members = generator.choice(members, size=most, replace=False)
        drawn.append(members)
    return np.sort(np.concatenate(drawn)).astype(np.int64)
