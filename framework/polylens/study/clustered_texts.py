"""One document with the cluster of each token."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int64

from polylens.records import NOISE, Examples, Partition, Rows, TokenContext
from polylens.report import ClusteredText, Piece

MOST_TOKENS = 400
"""Tokens of a document that are shown."""


def clustered_text(partition: Partition, rows: Rows, examples: Examples) -> ClusteredText | None:
    """The document in which most clusters occur, of several the one with most clustered rows.

    Of a long document it is the stretch with most clustered rows. None where rows are no tokens, or none is
    in a cluster.
    """
    origins, labels = rows.origins, np.asarray(partition.labels)
    clustered = np.flatnonzero(labels != NOISE)
    if rows.tokens is None or not len(clustered):
        return None
    example = _richest_example(origins.example[clustered], labels[clustered])
    positions = examples.valid(example)
    if positions is None:
        return None
    own = np.flatnonzero(origins.example == example)
    cluster_at = dict(zip(origins.position[own].tolist(), labels[own].tolist(), strict=True))
    held = np.array([cluster_at.get(position, NOISE) != NOISE for position in positions.tolist()])
    start = _densest_stretch(held, MOST_TOKENS)
    shown = positions[start : start + MOST_TOKENS].tolist()
    pieces = _pieces(examples, example, shown, cluster_at)
    return ClusteredText(examples.ids[example], pieces) if pieces else None


def _richest_example(example: Int64[np.ndarray, "rows"], labels: Int64[np.ndarray, "rows"]) -> int:
    """The example with the most clusters, then with the most rows, then the first."""
    pairs = np.unique(np.stack([example, labels]), axis=1)
    names, n_clusters = np.unique(pairs[0], return_counts=True)
    n_rows = np.unique(example, return_counts=True)[1]
    return int(names[np.lexsort((-n_rows, -n_clusters))[0]])


def _densest_stretch(held: Bool[np.ndarray, "tokens"], width: int) -> int:
    """Where the first of the stretches of `width` tokens begins that hold most.

    >>> _densest_stretch(np.array([True, False, False, True, True, False]), 2)
    3
    """
    sums = np.concatenate([[0], np.cumsum(held)])
    return int(np.argmax(sums[width:] - sums[:-width])) if len(held) > width else 0


def _pieces(
    examples: Examples, example: int, positions: list[int], cluster_at: dict[int, int]
) -> tuple[Piece, ...]:
    """The tokens one after the other, each with what stands between it and the one before."""
    pieces: list[Piece] = []
    last = ""
    for position in positions:
        context = examples.context(example, position)
        if not isinstance(context, TokenContext):
            return ()
        # Tokenizers that drop white space leave gaps between tokens, which the text around a token still has.
        at = context.before.rfind(last) if last else -1
        gap = context.before[at + len(last) :] if at >= 0 else ""
        token = context.token.lstrip() or context.token
        leading = context.token[: len(context.token) - len(token)]
        between = (gap if gap.isspace() else "") + leading
        pieces.append(Piece(token, cluster_at.get(position), gap=between))
        last = context.token
    return tuple(pieces)
