"""Tokens with the rare ones taken together."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


def common_tokens(
    tokens: Int64[np.ndarray, "rows"], *, least: int
) -> tuple[Int64[np.ndarray, "rows"], Int64[np.ndarray, "common"]]:
    """Tokens numbered anew by falling frequency, the rare ones as one last number; and the common tokens.

    Args:
        tokens: of each row.
        least: rows of a token that is common.

    >>> common_tokens(np.array([7, 9, 9, 8]), least=2)
    (array([1, 0, 0, 1]), array([9]))
    """
    known, index, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    n_common = int((counts >= least).sum())
    rank = np.empty(len(known), dtype=np.int64)
    rank[order] = np.minimum(np.arange(len(known)), n_common)
    return rank[index].astype(np.int64), known[order[:n_common]].astype(np.int64)
