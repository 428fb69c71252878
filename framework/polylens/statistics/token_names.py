"""Names of clusters made of tokens: at a row's own position, before it, and after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.statistics.log_odds import log_likelihood_ratio, log_odds

PLACES = ("current", "before", "after")
"""Where tokens stand beside a row, in the order of every `places` axis."""
_LEAST_ROWS = 2
"""Rows of a cluster that must have a token before it can be named by it."""
_MOST_OF = 0.5
"""Share of a cluster's rows that a name of several places must fit."""


@dataclass(frozen=True)
class TokenNaming:
    """How tokens are chosen that name a cluster."""

    most: int
    """Most tokens named at one place."""
    surprise: float
    """Least log-odds, in standard deviations, of a token that is named."""
    prior: float
    """How many rows the prior of the log-odds is worth."""


@dataclass(frozen=True)
class TokenNames:
    """What each cluster is named by: sets of tokens, all of whose places must fit."""

    tokens: Int64[np.ndarray, "clusters places most"]
    """Over-represented tokens at each place, the most surprising first; -1 where there are no more."""
    surprise: Float64[np.ndarray, "clusters places most"]
    """Their log-odds against all other rows, in standard deviations; 0 where there is no token."""
    used: Bool[np.ndarray, "clusters places"]
    """Places that take part in the name; none where a cluster has no name."""

    @property
    def has_name(self) -> Bool[np.ndarray, "clusters"]:
        """Which clusters have a name."""
        return np.asarray(self.used.any(1))

    def fit_own(
        self, labels: Int64[np.ndarray, "rows"], tokens: Int64[np.ndarray, "places rows"]
    ) -> Bool[np.ndarray, "rows"]:
        """Which rows the name of their own cluster fits; never those of noise."""
        fits = (labels >= 0) & (self.has_name[labels] if len(self.has_name) else False)
        rows = np.flatnonzero(fits)
        for place in range(len(PLACES)):
            own = labels[rows]
            fit = ~self.used[own, place] | _among(tokens[place, rows], self.tokens[own, place])
            rows = rows[fit]
        fits[:] = False
        fits[rows] = True
        return np.asarray(fits)

    def fit(self, cluster: int, tokens: Int64[np.ndarray, "places rows"]) -> Bool[np.ndarray, "rows"]:
        """Which rows, of any cluster, the name of this one fits."""
        fits = np.full(tokens.shape[1], bool(self.used[cluster].any()))
        for place in np.flatnonzero(self.used[cluster]):
            fits &= _among(tokens[place], self.tokens[cluster, place][None])
        return fits

    def count_fits(self, tokens: Int64[np.ndarray, "places rows"]) -> Int64[np.ndarray, "clusters"]:
        """How many rows, of any cluster, each name fits."""
        counts = np.zeros(len(self.used), dtype=np.int64)
        for place, here in enumerate(tokens):
            alone = self.used[:, place] & (self.used.sum(1) == 1)
            # Tokens of one place exclude each other: their counts add up.
            counts[alone] = _count_tokens(here, self.tokens[alone, place]).sum(1)
        for cluster in np.flatnonzero(self.used.sum(1) > 1):
            counts[cluster] = self.fit(int(cluster), tokens).sum()
        return counts


def name_by_tokens(
    labels: Int64[np.ndarray, "rows"],
    tokens: Int64[np.ndarray, "places rows"],
    *,
    n_clusters: int,
    naming: TokenNaming,
) -> TokenNames:
    """The tokens each cluster has more often than other rows do, and at which places they make its name.

    The name stands at the place whose tokens set the cluster apart most (likelihood ratio). Another place is
    added where that sets it apart still more and half of the cluster's rows at least fit both.

    Args:
        labels: cluster of each row; noise takes part in what other rows have.
        tokens: token of each row at each place; -1 where there is none.
        n_clusters: how many clusters there are.
        naming: how tokens are chosen.
    """
    by_place = [
        _over_represented_tokens(labels, here, n_clusters=n_clusters, naming=naming) for here in tokens
    ]
    named = np.stack([each for each, _ in by_place], axis=1)
    surprises = np.stack([each for _, each in by_place], axis=1)
    size = np.bincount(labels[labels >= 0], minlength=n_clusters).astype(np.float64)
    evidence = np.zeros((n_clusters, len(PLACES)))
    hits = np.zeros((len(PLACES), len(labels)), dtype=bool)
    for place in range(len(PLACES)):
        only = np.zeros((n_clusters, len(PLACES)), dtype=bool)
        only[:, place] = (named[:, place] >= 0).any(1)
        names = TokenNames(named, surprises, only)
        hits[place] = names.fit_own(labels, tokens)
        own = np.bincount(labels[hits[place]], minlength=n_clusters).astype(np.float64)
        evidence[:, place] = log_likelihood_ratio(own, size, names.count_fits(tokens) / max(len(labels), 1))
    used = np.zeros((n_clusters, len(PLACES)), dtype=bool)
    best = evidence.argmax(1)
    used[np.arange(n_clusters), best] = evidence.max(1, initial=0.0) > 0
    names = TokenNames(named, surprises, used)
    for cluster in _joint_candidates(labels, hits, best, size):
        _widen(names, int(cluster), labels, tokens, evidence[cluster])
    return names


def _over_represented_tokens(
    labels: Int64[np.ndarray, "rows"],
    tokens: Int64[np.ndarray, "rows"],
    *,
    n_clusters: int,
    naming: TokenNaming,
) -> tuple[Int64[np.ndarray, "clusters most"], Float64[np.ndarray, "clusters most"]]:
    known = tokens >= 0
    width = int(tokens.max(initial=0)) + 1
    kept = known & (labels >= 0)
    pair, count = np.unique(labels[kept] * width + tokens[kept], return_counts=True)
    cluster, token = np.divmod(pair.astype(np.int64), width)
    totals = np.bincount(tokens[known], minlength=width).astype(np.int64)
    sizes = np.bincount(labels[kept], minlength=n_clusters).astype(np.int64)
    rows = max(int(known.sum()), 1)
    above = log_odds(
        count.astype(np.int64),
        sizes[cluster],
        totals[token] - count,
        rows - sizes[cluster],
        share=totals[token] / rows,
        prior=naming.prior,
    )
    chosen = np.flatnonzero((above >= naming.surprise) & (count >= _LEAST_ROWS))
    chosen = chosen[np.lexsort((token[chosen], -above[chosen], cluster[chosen]))]
    own = cluster[chosen]
    rank = np.arange(len(own)) - np.searchsorted(own, own)
    own, chosen, rank = (each[rank < naming.most] for each in (own, chosen, rank))
    named = np.full((n_clusters, naming.most), -1, dtype=np.int64)
    surprises = np.zeros((n_clusters, naming.most))
    named[own, rank], surprises[own, rank] = token[chosen], above[chosen]
    return named, surprises


def _joint_candidates(
    labels: Int64[np.ndarray, "rows"],
    hits: Bool[np.ndarray, "places rows"],
    best: Int64[np.ndarray, "clusters"],
    size: Float64[np.ndarray, "clusters"],
) -> Int64[np.ndarray, "some"]:
    """Clusters most of whose rows fit at the best place and at another."""
    wanted = np.zeros(len(size), dtype=bool)
    clustered = np.flatnonzero(labels >= 0)
    own = labels[clustered]
    at_best = hits[best[own], clustered]
    for place in range(len(PLACES)):
        both = np.bincount(own[at_best & hits[place, clustered]], minlength=len(size))
        wanted |= (best != place) & (both >= _MOST_OF * size) & (both > 0)
    return np.flatnonzero(wanted).astype(np.int64)


def _widen(
    names: TokenNames,
    cluster: int,
    labels: Int64[np.ndarray, "rows"],
    tokens: Int64[np.ndarray, "places rows"],
    evidence: Float64[np.ndarray, "places"],
) -> None:
    """Adds places to one cluster's name as long as they set it apart more."""
    best = float(evidence.max())
    members = labels == cluster
    for place in np.argsort(-evidence, kind="stable")[1:]:
        if evidence[place] <= 0:
            continue
        names.used[cluster, place] = True
        fits = names.fit(cluster, tokens)
        own, size = int((fits & members).sum()), int(members.sum())
        reached = float(
            log_likelihood_ratio(
                np.array([float(own)]), np.array([float(size)]), np.array([fits.sum() / len(labels)])
            )[0]
        )
        if own >= _MOST_OF * size and reached > best:
            best = reached
        else:
            names.used[cluster, place] = False


def _among(
    tokens: Int64[np.ndarray, "rows"], named: Int64[np.ndarray, "rows_or_one most"]
) -> Bool[np.ndarray, "rows"]:
    return np.asarray(((tokens[:, None] == named) & (named >= 0)).any(1))


def _count_tokens(
    tokens: Int64[np.ndarray, "rows"], named: Int64[np.ndarray, "some most"]
) -> Int64[np.ndarray, "some most"]:
    """How many rows have each of the named tokens; 0 where none is named."""
    width = max(int(tokens.max(initial=0)), int(named.max(initial=0))) + 1
    totals = np.bincount(tokens[tokens >= 0], minlength=width)
    return np.where(named >= 0, totals[np.maximum(named, 0)], 0).astype(np.int64)
