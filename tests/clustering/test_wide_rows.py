"""Rows of bits that are wider than they are many: read once, counted once, clustered as all others are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from polylens.clustering import (
    PairCounts,
    counted_hierarchy,
    cut_hierarchy,
    hdbscan,
    hierarchy,
    is_wide,
    medoids,
    pair_counts,
)
from polylens.clustering.bit_space import BitSpace
from polylens.clustering.copies import Copies
from polylens.clustering.passes import TiledPasses
from polylens.clustering.spanning_tree import spanning_forest
from polylens.errors import DataError


def rows(count: int, n_bytes: int, *, seed: int) -> np.ndarray:
    """Rows of a few groups, some of them equal, with padding of zeros at the end."""
    generator = np.random.default_rng(seed)
    centres = generator.integers(0, 256, (3, n_bytes), dtype=np.uint8)
    noise = generator.integers(0, 256, (4, count, n_bytes), dtype=np.uint8)
    made = centres[generator.integers(3, size=count)] ^ (noise[0] & noise[1] & noise[2] & noise[3])
    made[1::7] = made[0]
    made[:, -1] &= 0b11110000
    return made


@settings(max_examples=25)
@given(
    count=st.integers(1, 150),
    n_bytes=st.integers(1, 3000),
    loaded=st.sampled_from([1 << 12, 1 << 18, 1 << 27]),
    seed=st.integers(0, 99),
)
def test_counts_are_those_of_every_pair(count: int, n_bytes: int, loaded: int, seed: int) -> None:
    packed = rows(count, n_bytes, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_counts, "_LOADED", loaded)
        found = PairCounts.of(packed)
        some = np.flatnonzero(np.arange(count) % 3 != 1)
        chosen = PairCounts.of(packed, chosen=some)
    bits = np.unpackbits(packed, axis=1).astype(np.float64)
    assert np.array_equal(found.counts, np.rint(cdist(bits, bits, "cityblock")))
    assert np.array_equal(found.ones, bits.sum(1))
    assert np.array_equal(chosen.counts, found.counts[np.ix_(some, some)])
    assert np.array_equal(found.take(some).counts, chosen.counts)


def test_rows_are_read_from_a_file_and_counts_beyond_single_precision_are_exact(tmp_path: Path) -> None:
    n_bytes = 2**21 + 3  # 2^24 bits and some: single precision would round
    packed = np.lib.format.open_memmap(tmp_path / "wide.npy", "w+", dtype=np.uint8, shape=(3, n_bytes))
    packed[1] = 255
    packed[2, :-1] = 255
    found = PairCounts.of(packed)
    assert found.counts[0].tolist() == [0, 8 * n_bytes, 8 * n_bytes - 8]
    with pytest.raises(DataError, match="too many of that width"):
        BitSpace.of(packed, bits=8 * n_bytes, metric="hamming")
    assert is_wide(3, n_bytes)
    assert medoids(packed, labels=np.zeros(3, dtype=np.int64), metric="hamming").tolist() == [2]


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_the_tree_is_that_of_the_rows(metric: Literal["hamming", "jaccard"]) -> None:
    packed = rows(300, 40, seed=5)
    bits = 8 * 40 - 4
    plain = hierarchy(packed, metric=metric, min_samples=4, bits=bits)
    counted = counted_hierarchy(PairCounts.of(packed), metric=metric, min_samples=4, bits=bits)
    for name in ("order", "heights", "core"):
        assert np.array_equal(getattr(counted, name), getattr(plain, name)), name
    subset = np.arange(0, 300, 2)
    assert np.array_equal(
        counted_hierarchy(
            PairCounts.of(packed).take(subset), metric=metric, min_samples=4, bits=bits
        ).heights,
        hierarchy(packed[subset], metric=metric, min_samples=4, bits=bits).heights,
    )
    with pytest.raises(DataError, match="does not fit bits"):
        counted_hierarchy(PairCounts.of(packed), metric="euclidean", min_samples=4, bits=bits)


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_wide_rows_are_clustered_as_others(
    metric: Literal["hamming", "jaccard"], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = rows(120, 600, seed=6)
    plain = hdbscan(packed, metric=metric, min_cluster_size=6)
    assert plain.n_clusters == 3
    monkeypatch.setattr(pair_counts, "_WIDE", 1)
    assert is_wide(*packed.shape)
    wide = hdbscan(packed, metric=metric, min_cluster_size=6)
    for name in ("labels", "strength", "exemplars", "persistence"):
        assert np.array_equal(getattr(wide, name), getattr(plain, name)), name
    assert wide.hierarchy is not None
    cut = cut_hierarchy(wide.hierarchy, min_cluster_size=6)
    assert np.array_equal(cut.labels, plain.labels)
    assert (cut.method, cut.space, len(cut.exemplars)) == (plain.method, plain.space, 0)


def test_the_second_pass_finds_the_same_tree() -> None:
    # With one neighbour kept, groups are left to it.
    packed = rows(200, 30, seed=7)
    from polylens.clustering import spanning_tree
    from polylens.clustering.keeping import Forgetful
    from polylens.progress import Silent

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spanning_tree, "_NEIGHBOURS", 1)
        weights = [
            spanning_forest(
                TiledPasses(space),
                copies=Copies.none(200),
                min_samples=1,
                keeper=Forgetful(),
                progress=Silent(),
            )[0].weights
            for space in (
                BitSpace.of(packed, bits=240, metric="hamming"),
                pair_counts.CountedSpace(PairCounts.of(packed), bits=240, metric="hamming"),
            )
        ]
    assert np.array_equal(np.sort(weights[0]), np.sort(weights[1]))
