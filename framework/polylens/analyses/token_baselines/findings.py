"""What clusters share with tokens and positions, and what they say beyond."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Int64

from polylens.analyses._partitions.classes import class_numbers, lack_of_clusters
from polylens.errors import DataError
from polylens.progress import Progress, Task
from polylens.records import Findings, Number, Partition, Rows, RowTokens
from polylens.statistics import (
    Blocks,
    Pieces,
    common_tokens,
    explain,
    information_agreement,
    pair_agreement,
    position_number,
    purity,
    row_null,
)
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.token_baselines import TokenBaselines

_WITH_CLUSTERS = ("token_purity", "next_token_beyond", "previous_token_beyond")
"""Numbers that are not defined without clusters."""


def token_baselines_findings(
    analysis: TokenBaselines,
    rows: Rows,
    *,
    streams: Streams,
    upstream: Mapping[str, Findings],
    progress: Progress,
) -> Findings:
    """Agreement and what is beyond, each with its chance level."""
    partition = upstream[analysis.of].clusters(analysis.of, to="compare")
    if rows.tokens is None:
        raise DataError(
            "these rows stand at no tokens, so clusters cannot be compared with them",
            hint="use a dataset of texts, or leave 'token_baselines' out",
        )
    blocks = Blocks.of(rows.origins.block)
    with progress.task("laying tokens over", total=3 * analysis.permutations, unit="permutations") as task:
        numbers = _token_numbers(analysis, partition, rows.tokens, blocks, streams, task)
        position = _position(analysis, partition, rows, blocks, streams, task)
    if position is not None:
        numbers["position_information"] = position
    raw: dict[str, tuple[float, float]] = {}
    with progress.task("exchanging tokens", total=2 * analysis.permutations, unit="permutations") as task:
        for name, beside in (("next_token", rows.tokens.after), ("previous_token", rows.tokens.before)):
            own = streams.child(name)
            beyond = _beyond(analysis, partition, rows.tokens.current, beside, blocks, own, task)
            if beyond is not None:
                numbers[f"{name}_beyond"], raw[name] = beyond
    notes, undefined = lack_of_clusters(partition, _WITH_CLUSTERS, note="token purity is not defined")
    return Findings(
        numbers=numbers,
        tables={"clusters": _cluster_table(partition, rows.tokens), "explained": _explained_table(raw)},
        notes=notes,
        undefined=undefined,
    )


def _token_numbers(
    analysis: TokenBaselines,
    partition: Partition,
    tokens: RowTokens,
    blocks: Blocks,
    streams: Streams,
    task: Task,
) -> dict[str, Number]:
    """Agreement of clusters with the current token."""
    current, _ = common_tokens(tokens.current, least=analysis.rare)
    null = row_null(
        partition.labels,
        current,
        blocks=blocks,
        permutations=analysis.permutations,
        streams=streams,
        after_each=task.advance,
    )
    by_chance = []
    for number in range(analysis.permutations):
        moved = tokens.current[blocks.relaid_rows(streams.generator("documents", number))]
        by_chance.append(purity(partition.labels, moved) or 0.0)
        task.advance()
    meaning = f"{analysis.permutations} rounds with the tokens of whole documents laid over other rows"
    agreement = {
        "token_information": (information_agreement, null.information),
        "token_rand": (pair_agreement, null.rand),
    }
    return {
        **class_numbers(partition, current, agreement, null_is=meaning),
        **class_numbers(
            partition, tokens.current, {"token_purity": (purity, np.array(by_chance))}, null_is=meaning
        ),
    }


def _position(
    analysis: TokenBaselines, partition: Partition, rows: Rows, blocks: Blocks, streams: Streams, task: Task
) -> Number | None:
    """Agreement of clusters with position; None where all rows stand in one part."""
    part = position_parts(rows.origins.position, bins=analysis.bins)
    return position_number(
        partition,
        part,
        blocks=blocks,
        permutations=analysis.permutations,
        streams=streams,
        after_each=task.advance,
    )


def position_parts(at: Int64[np.ndarray, "rows"], *, bins: int) -> Int64[np.ndarray, "rows"]:
    """Which part each row's position is in: at most `bins`, rising, one position in one part."""
    edges = np.unique(np.quantile(at, np.linspace(0, 1, bins + 1)[1:-1])) if len(at) else at
    return np.searchsorted(edges, at, side="right").astype(np.int64)


def _beyond(
    analysis: TokenBaselines,
    partition: Partition,
    current: Int64[np.ndarray, "rows"],
    beside: Int64[np.ndarray, "rows"],
    blocks: Blocks,
    streams: Streams,
    task: Task,
) -> tuple[Number, tuple[float, float]] | None:
    """What clusters say of a token beside the current one, which is known; None where it is certain."""
    # Noise tells nothing: to its rows' share of the uncertainty nothing is added.
    known = np.flatnonzero((beside >= 0) & (partition.labels >= 0))
    covered = len(known) / max(int((beside >= 0).sum()), 1)
    explained = explain(
        partition.labels[known],
        beside[known],
        given=current[known],
        blocks=Blocks.of(blocks.block[known]),
        permutations=analysis.permutations,
        streams=streams,
        after_each=task.advance,
    )
    if explained is None:
        return None
    number = Number(
        explained.beyond_chance * covered,
        chance=float(np.quantile(explained.null_beyond_chance, 0.95)) * covered,
        chance_is=(
            f"95 % of {analysis.permutations} exchanges between documents, among rows of equal current "
            "token, stay below"
        ),
    )
    return number, (explained.share, float(explained.null.mean()))


def _cluster_table(partition: Partition, tokens: RowTokens) -> pd.DataFrame:
    """One line a cluster: its most common token, and how much of the cluster that is."""
    pieces = Pieces(tokens.vocabulary)
    lines = []
    for cluster in range(partition.n_clusters):
        known, counts = np.unique(tokens.current[partition.labels == cluster], return_counts=True)
        most = int(counts.argmax())
        share = float(counts[most] / counts.sum())
        lines.append((cluster, int(counts.sum()), len(known), pieces.quote(int(known[most])), share))
    return pd.DataFrame(lines, columns=["cluster", "size", "distinct_tokens", "top_token", "top_token_share"])


def _explained_table(raw: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Shares of uncertainty before they are adjusted for chance."""
    lines = [(name, share, chance) for name, (share, chance) in raw.items()]
    return pd.DataFrame(lines, columns=["about", "explained_share", "chance_mean"])
