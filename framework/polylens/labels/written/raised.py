"""Tokens that a language model makes likelier at members of a cluster than elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float64, Int64

from polylens.dataflow import first_tensor
from polylens.devices import exact_float32
from polylens.progress import Progress
from polylens.records import Network, Partition, Rows
from polylens.work import RowSource

_BUDGET = 2**29
"""Bytes that the logits of one batch may take."""


@dataclass(frozen=True)
class Raised:
    """The tokens that members of each cluster raise most, the most raised first."""

    token: Int64[np.ndarray, "clusters tokens"]
    by: Float64[np.ndarray, "clusters tokens"]
    """Mean logit over the cluster's rows minus that over all rows."""
    known: Bool[np.ndarray, "clusters"]
    """Whether the cluster has rows to take a mean of."""

    def texts(self, cluster: int, rows: Rows) -> list[str]:
        """The tokens of one cluster; none where it has no rows."""
        if rows.tokens is None or not self.known[cluster]:
            return []
        return [rows.tokens.vocabulary[token] for token in self.token[cluster].tolist()]

    def table(self, rows: Rows) -> pd.DataFrame:
        """One line for each cluster and token."""
        lines = [
            (cluster, rank + 1, text, int(self.token[cluster, rank]), float(self.by[cluster, rank]))
            for cluster in range(len(self.token))
            for rank, text in enumerate(self.texts(cluster, rows))
        ]
        return pd.DataFrame(lines, columns=["cluster", "rank", "token", "token_id", "raised_by"])


def raised_tokens(
    rows: Rows,
    partition: Partition,
    naming: Bool[np.ndarray, "rows"],
    *,
    source: RowSource,
    most: int,
    progress: Progress,
) -> Raised | None:
    """The tokens whose mean logit over a cluster's rows is furthest above their mean over all rows.

    Logits are those that the network itself gives where the row stands: of a causal model they are of the
    next token. A constant that is added to all logits of a row changes no order of tokens.

    Args:
        rows: that were partitioned.
        partition: the clusters; rows in none count among all rows.
        naming: the rows that names may be made of; no other is read.
        source: where the rows come from.
        most: tokens of each cluster.
        progress: where it is shown.

    Returns:
        None where the rows stand at no tokens, or the network's output is no logits of them.

    Source: Gur-Arieh and others (2025), descriptions by outputs beside inputs; the means over clusters are
        ours.
    """
    if rows.tokens is None or not naming.any():
        return None
    network, width = source.network(), len(rows.tokens.vocabulary)
    group = np.asarray(partition.labels) + 1  # 0 is of rows in no cluster
    totals: torch.Tensor | None = None
    examples = np.unique(rows.origins.example[naming])
    with progress.task("what members raise", total=len(examples), unit="examples") as task:
        for batch, chosen in _batches(rows, naming, source, width=width):
            logits = _logits(network, source, batch, rows, chosen)
            if logits is None or logits.shape[-1] < width:
                return None
            if totals is None:
                totals = logits.new_zeros(partition.n_clusters + 1, width, dtype=torch.float64)
            into = torch.from_numpy(group[chosen]).to(logits.device)
            totals.index_add_(0, into, logits[:, :width].double())
            task.advance(len(batch))
    assert totals is not None
    sums, counts = totals.cpu().numpy(), np.bincount(group[naming], minlength=partition.n_clusters + 1)
    above = sums[1:] / np.maximum(counts[1:], 1)[:, None] - sums.sum(0) / counts.sum()
    order = np.argsort(-above, axis=1, kind="stable")[:, :most].astype(np.int64)
    return Raised(order, np.take_along_axis(above, order, axis=1), counts[1:] > 0)


def _batches(
    rows: Rows, naming: Bool[np.ndarray, "rows"], source: RowSource, *, width: int
) -> Iterator[tuple[Int64[np.ndarray, "batch"], Int64[np.ndarray, "chosen"]]]:
    """Examples, as many as their logits leave room for, and the rows that are read of them."""
    chosen = np.flatnonzero(naming)
    chosen = chosen[np.argsort(rows.origins.example[chosen], kind="stable")]
    examples, first = np.unique(rows.origins.example[chosen], return_index=True)
    lengths = source.examples.lengths()
    longest = rows.origins.grid[0] if lengths is None else int(lengths[examples].max())
    size = max(1, _BUDGET // (4 * width * longest))
    for start in range(0, len(examples), size):
        end = first[start + size] if start + size < len(examples) else len(chosen)
        yield examples[start : start + size], chosen[first[start] : end]


def _logits(
    network: Network,
    source: RowSource,
    batch: Int64[np.ndarray, "batch"],
    rows: Rows,
    chosen: Int64[np.ndarray, "chosen"],
) -> torch.Tensor | None:
    """What the network gives where each row stands; None where it gives nothing for each token."""
    weights = next(network.module.parameters(), None)
    position = torch.from_numpy(rows.origins.position[chosen])
    inputs = source.examples.batch(batch.tolist())
    if network.is_causal:
        # No token is changed by what comes after it.
        inputs = inputs[:, : int(position.max()) + 1]
    if weights is not None:
        inputs = inputs.to(weights.device)
    with torch.inference_mode(), exact_float32():
        output = first_tensor(network.module(inputs))
    if output is None or output.dim() != 3 or output.shape[:2] != inputs.shape:
        return None
    example = torch.from_numpy(np.searchsorted(batch, rows.origins.example[chosen]))
    return output[example.to(output.device), position.to(output.device)]
