"""Naming clusters by the tokens they hold too many of, and testing the names on other documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.records import count_clusters
from polylens.statistics.blocks import Blocks
from polylens.statistics.evidence import Evidence
from polylens.statistics.halves import split_examples
from polylens.statistics.log_odds import least_share, log_likelihood_ratio
from polylens.statistics.shares import Shares
from polylens.statistics.token_names import TokenNames, TokenNaming, name_by_tokens
from polylens.streams import Streams

_Score = tuple[
    Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"]
]


@dataclass(frozen=True)
class TokenScores(Evidence):
    """How well each cluster's tokens, found in some documents, fit its rows in the others."""

    names: TokenNames
    held_out: Bool[np.ndarray, "rows"]
    """Rows of the scoring documents."""
    members: Int64[np.ndarray, "clusters"]
    """Held-out rows of each cluster."""
    fitting_members: Int64[np.ndarray, "clusters"]
    """Held-out rows of each cluster that its name fits."""
    fitting_rows: Int64[np.ndarray, "clusters"]
    """Held-out rows of any cluster, or of none, that the name fits."""

    @property
    def held_out_rows(self) -> Int64[np.ndarray, "clusters"]:
        """Rows of each cluster in the scoring documents."""
        return self.members

    @property
    def share(self) -> Float64[np.ndarray, "clusters"]:
        """Share of each cluster's held-out rows that its name fits; NaN where there are none."""
        return _ratio(self.fitting_members, self.members)

    @property
    def base(self) -> Float64[np.ndarray, "clusters"]:
        """Share of all held-out rows that the name fits."""
        return np.asarray(self.fitting_rows / max(int(self.held_out.sum()), 1))

    @property
    def lift(self) -> Float64[np.ndarray, "clusters"]:
        """`share` over `base`; NaN where the name fits no held-out row."""
        return _ratio(self.share, self.base)

    @property
    def coverage(self) -> Float64[np.ndarray, "clusters"]:
        """Share of the held-out rows the name fits that are in the cluster; NaN where it fits none."""
        return _ratio(self.fitting_members, self.fitting_rows)

    def chance_lift(self, level: float) -> Float64[np.ndarray, "clusters"]:
        """The lift a cluster of this size must exceed to be significant at `level`; 0 where unscored."""
        share = least_share(self.members.astype(np.float64), self.base, ratio=self.critical(level))
        return np.where(self.members > 0, np.nan_to_num(_ratio(share, self.base), nan=0.0), 0.0)


def enrich_tokens(
    labels: Int64[np.ndarray, "rows"],
    tokens: Int64[np.ndarray, "places rows"],
    *,
    blocks: Blocks,
    naming: TokenNaming,
    holdout: float,
    permutations: int,
    streams: Streams,
    after_each: Callable[[], object] = lambda: None,
) -> TokenScores:
    """Names each cluster by tokens in some of the documents and scores the names in the others.

    Args:
        labels: cluster of each row; noise takes part in what other rows have.
        tokens: token of each row at each of `PLACES`; -1 where there is none.
        blocks: the rows of each document.
        naming: how tokens are chosen that name a cluster.
        holdout: share of the documents kept for scoring, in (0, 1).
        permutations: rounds of naming and scoring with the tokens of whole documents laid over other rows.
            The maximum over clusters of each round's likelihood ratio is the family-wise null.
        streams: of the split and the permutations.
        after_each: called after each permutation.

    Source: Monroe, Colaresi, Quinn (2008) for the names; Dunning (1993) for the statistic; Westfall and
        Young (1993), single-step maxT.
    """
    n_clusters = count_clusters(labels)
    split = split_examples(
        np.zeros(len(blocks), np.int64), holdout=holdout, generator=streams.generator("split")
    )
    held_out = split[blocks.block]
    named, scoring = labels[~held_out], labels[held_out]

    def name_clusters(own: Int64[np.ndarray, "places rows"]) -> TokenNames:
        return name_by_tokens(named, own[:, ~held_out], n_clusters=n_clusters, naming=naming)

    names = name_clusters(tokens)
    members = np.bincount(scoring[scoring >= 0], minlength=n_clusters).astype(np.int64)
    null = []
    for number in range(permutations):
        moved = tokens[:, blocks.relaid_rows(streams.generator("documents", number))]
        null.append(_score_names(name_clusters(moved), scoring, moved[:, held_out], members))
        after_each()
    shares, lifts, ratios = (np.array(each).reshape(permutations, n_clusters) for each in _columns(null))
    fits = names.fit_own(labels, tokens)
    scored = np.flatnonzero(held_out & (labels >= 0))
    example = blocks.block[scored]
    by_name = _rows_that_fit(names, tokens, held_out)
    anywhere = Shares.among(
        by_name[0], blocks.block[by_name[1]], rows=np.where(split, blocks.sizes, 0), count=n_clusters
    )
    return TokenScores(
        names=names,
        held_out=held_out,
        naming_rows=np.bincount(named[named >= 0], minlength=n_clusters).astype(np.int64),
        members=members,
        fitting_members=np.bincount(labels[held_out & fits], minlength=n_clusters).astype(np.int64),
        fitting_rows=np.bincount(by_name[0], minlength=n_clusters).astype(np.int64),
        statistic=_score_names(names, scoring, tokens[:, held_out], members)[2],
        null_share=shares,
        null_lift=lifts,
        null_statistic=ratios,
        fitting=Shares.of(fits[scored], example=example, group=labels[scored], count=n_clusters),
        fitting_any=anywhere,
        fitting_together=Shares.of(fits[scored], example=example),
    )


def _columns(null: Sequence[_Score]) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """The shares, the lifts and the likelihood ratios of all rounds."""
    return [each[0] for each in null], [each[1] for each in null], [each[2] for each in null]


def _rows_that_fit(
    names: TokenNames, tokens: Int64[np.ndarray, "places rows"], held_out: Bool[np.ndarray, "rows"]
) -> tuple[Int64[np.ndarray, "fits"], Int64[np.ndarray, "fits"]]:
    """Each named cluster, and each held-out row of any cluster or of none that its name fits."""
    rows = np.flatnonzero(held_out)
    clusters, fitting = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for cluster in np.flatnonzero(names.has_name):
        fitting.append(rows[names.fit(int(cluster), tokens[:, rows])].astype(np.int64))
        clusters.append(np.full(len(fitting[-1]), cluster, dtype=np.int64))
    return np.concatenate(clusters), np.concatenate(fitting)


def _score_names(
    names: TokenNames,
    labels: Int64[np.ndarray, "held_out"],
    tokens: Int64[np.ndarray, "places held_out"],
    members: Int64[np.ndarray, "clusters"],
) -> _Score:
    fits = labels[names.fit_own(labels, tokens)]
    own = np.bincount(fits, minlength=len(members)).astype(np.int64)
    return _score(own, members, names.count_fits(tokens), len(labels))


def _score(
    own: Int64[np.ndarray, "clusters"],
    members: Int64[np.ndarray, "clusters"],
    fitting: Int64[np.ndarray, "clusters"],
    rows: int,
) -> _Score:
    share, base = _ratio(own, members), fitting / max(rows, 1)
    ratio = log_likelihood_ratio(own.astype(np.float64), members.astype(np.float64), base)
    return share, _ratio(share, base), ratio


def _ratio(
    above: Float64[np.ndarray, "clusters"] | Int64[np.ndarray, "clusters"],
    below: Float64[np.ndarray, "clusters"] | Int64[np.ndarray, "clusters"],
) -> Float64[np.ndarray, "clusters"]:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=np.asarray(below > 0)))
