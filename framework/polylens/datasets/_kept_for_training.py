"""Which documents are kept for training a network here, and which are left for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from polylens.datasets._order import stratified_order
from polylens.errors import DataError, UsageError
from polylens.streams import Streams


def documents_of_split(
    names: Sequence[str],
    *,
    dataset: str,
    train_fraction: float | None,
    split: Literal["train"] | None,
    streams: Streams,
    classes: Sequence[str] | None = None,
) -> frozenset[str]:
    """The documents that a split has, by name: of each class its share, drawn with the seed.

    Args:
        names: of all documents.
        dataset: the kind, for errors.
        train_fraction: share of the documents kept for training; None keeps none.
        split: `train` gives those that are kept, None the others.
        streams: randomness of the draw (stream `split`).
        classes: the class of each document; None where documents have none.

    Raises:
        UsageError: documents for training are asked for and none are kept.
        DataError: the split has no document.
    """
    if train_fraction is None:
        if split is not None:
            raise UsageError(
                f"{dataset} keeps no texts for training here", hint="set 'train_fraction', such as 0.8"
            )
        return frozenset(names)
    _, targets = np.unique([""] * len(names) if classes is None else classes, return_inverse=True)
    order = stratified_order(targets.astype(np.int64), generator=streams.generator("split"))
    n_train = round(len(order) * train_fraction)
    chosen = order[:n_train] if split is not None else order[n_train:]
    if not len(chosen):
        raise DataError(f"no document of {len(names)} is left to draw", hint="change 'train_fraction'")
    return frozenset(names[index] for index in chosen.tolist())
