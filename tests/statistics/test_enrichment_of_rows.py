"""Names of clusters by classes that rows of one example differ in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shapes import unchecked

from polylens.statistics import UNNAMED, Blocks, Enrichment, enrich_rows
from polylens.streams import Streams

EXAMPLES, ROWS = 40, 8


def enriched(
    labels: np.ndarray, targets: np.ndarray, *, seed: int = 0, permutations: int = 100
) -> Enrichment:
    example = np.repeat(np.arange(EXAMPLES), ROWS)
    return enrich_rows(
        labels.astype(np.int64),
        targets.astype(np.int64),
        blocks=Blocks.of(example),
        n_classes=int(targets.max()) + 1,
        holdout=0.5,
        permutations=permutations,
        streams=Streams(seed),
    )


def test_a_cluster_of_one_class_is_named_by_it_and_a_random_one_is_not_above_chance() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 6, EXAMPLES * ROWS)
    labels = np.where(targets == 4, 0, np.where(rng.random(len(targets)) < 0.3, 1, -1))
    found = enriched(labels, targets)
    assert found.name[0] == 4
    assert found.share[0] == 1.0
    assert found.p_values[0] == pytest.approx(1 / 101)
    assert found.p_values[1] > 0.05


def test_a_rare_class_does_not_name_a_cluster_that_is_mostly_of_another() -> None:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 4, EXAMPLES * ROWS)
    rows = np.flatnonzero(targets == 2)
    # One row of each half is of a class that no other row is of.
    targets[rows[0]] = targets[rows[-1]] = 5
    labels = np.full(len(targets), -1)
    labels[rows] = 0
    assert enriched(labels, targets).name.tolist() == [2]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_counts_are_those_of_held_out_rows_counted_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets, labels = rng.integers(0, 3, EXAMPLES * ROWS), rng.integers(-1, 3, EXAMPLES * ROWS)
    found = enriched(labels, targets, seed=seed, permutations=3)
    total = np.array([[np.sum((labels == k) & (targets == c)) for c in range(3)] for k in range(3)])
    assert (found.held_out <= total).all()
    assert found.held_out.sum() + found.naming_rows.sum() == total.sum()
    shares = found.held_out[np.arange(3), found.name] / found.held_out.sum(1)
    assert found.share.tolist() == pytest.approx(shares.tolist())
    assert found.lift.tolist() == pytest.approx((shares / found.base[found.name]).tolist())
    assert found.base.sum() == pytest.approx(1.0)


def test_clusters_without_meaning_are_above_chance_as_rarely_as_the_level_says() -> None:
    # Rows of one document go together in both, which must not count as agreement.
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        theme, group = rng.integers(0, 5, EXAMPLES), rng.integers(0, 3, EXAMPLES)
        loose = rng.random(EXAMPLES * ROWS) < 0.2
        targets = np.where(loose, rng.integers(0, 5, len(loose)), np.repeat(theme, ROWS))
        with unchecked(when=seed > 0):
            # A level of 0.1 is one that 39 rounds and what was found have exactly: four of forty.
            found = enriched(np.repeat(group, ROWS), targets, seed=seed, permutations=39)
        hits += bool(found.p_values.min() <= 0.1)
    # Binomial of 60 at 0.1: 14 or more have a chance of 0.001.
    assert hits < 14


def test_without_clusters_there_is_nothing_and_without_naming_rows_no_name() -> None:
    targets = np.zeros(EXAMPLES * ROWS, np.int64)
    assert len(enriched(np.full(len(targets), -1), targets).name) == 0
    labels = np.full(len(targets), -1)
    labels[:1] = 0
    names = {int(enriched(labels, targets, seed=seed, permutations=1).name[0]) for seed in range(8)}
    assert names == {0, UNNAMED}
