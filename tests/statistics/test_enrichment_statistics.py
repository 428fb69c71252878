from __future__ import annotations

import numpy as np
import pytest
from tests.shapes import unchecked

from polylens.statistics import Blocks, enrich
from polylens.statistics.halves import Half, split_examples
from polylens.streams import Streams


def _enrich(labels, targets, *, example=None, seed=0, permutations=200, n_classes=None):
    return enrich(
        labels,
        targets,
        blocks=Blocks.of(np.arange(len(labels)) if example is None else example),
        n_classes=int(targets.max()) + 1 if n_classes is None else n_classes,
        holdout=0.5,
        permutations=permutations,
        streams=Streams(seed),
    )


def test_moments_are_those_of_exchanged_classes():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 4, 12)
    example = np.repeat(np.arange(12), sizes)
    labels = rng.integers(-1, 1, len(example))
    half = Half.of(labels, Blocks.of(example), np.ones(12, bool), n_clusters=2)
    assert half.rows.tolist() == [int((labels == 0).sum()), 0]
    classes = np.array([0] * 5 + [1] * 7)
    drawn = np.array([half.by_class(rng.permutation(classes), n_classes=2) for _ in range(20_000)])
    mean, deviation = half.moments(classes, n_classes=2)
    assert drawn.mean(0) == pytest.approx(mean, abs=0.05)
    assert drawn.std(0) == pytest.approx(deviation, abs=0.05)


def test_the_split_holds_out_the_same_share_of_every_class():
    classes = np.repeat(np.arange(4), [10, 20, 30, 7])
    held_out = split_examples(classes, holdout=0.5, generator=np.random.default_rng(0))
    counts = np.bincount(classes[held_out])
    assert counts[:3].tolist() == [5, 10, 15]
    assert counts[3] in (3, 4)


def test_share_and_lift_by_hand():
    # One cluster that is class 1 wherever it is; classes are half and half, so the lift is 2.
    targets = np.arange(40) % 2
    labels = np.where(targets == 1, 0, -1)
    found = _enrich(labels, targets)
    assert found.name.tolist() == [1]
    assert found.share.tolist() == [1.0]
    assert found.lift.tolist() == [2.0]
    assert found.p_values[0] == pytest.approx(1 / 201)


def test_planted_structure_is_found_and_noise_beside_it_is_not():
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 8, 800)
    labels = rng.integers(0, 10, 800)
    labels[(targets == 5) & (rng.random(800) < 0.7)] = 3
    found = _enrich(labels, targets)
    assert found.name[3] == 5
    assert found.p_values[3] < 0.01
    assert (np.delete(found.p_values, 3) > 0.05).all()
    assert found.lift[3] > found.chance_lift(0.05)[3]


def test_the_name_is_the_over_represented_class_and_not_the_most_common_one():
    # Class 0 is 90 % of the rows and of the cluster 60 %; class 1 is 10 % and of the cluster 40 %.
    rng = np.random.default_rng(0)
    targets = (rng.random(2000) < 0.1).astype(np.int64)
    labels = np.full(2000, -1)
    labels[rng.choice(np.flatnonzero(targets == 0), 60, replace=False)] = 0
    labels[rng.choice(np.flatnonzero(targets == 1), 40, replace=False)] = 0
    found = _enrich(labels, targets)
    assert found.name.tolist() == [1]
    assert found.share[0] == pytest.approx(0.4, abs=0.12)


def test_naming_on_shuffled_classes_names_any_cluster_at_the_stated_rate():
    # The chance that any of the clusters is called strong although classes mean nothing: 10 %, 80 trials.
    strong = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        example = np.repeat(np.arange(60), 3)
        labels = np.where(rng.random(180) < 0.7, rng.integers(0, 5, 60)[example], -1)
        targets = rng.integers(0, 4, 60)[example]
        with unchecked(when=seed > 0):
            # A level of 0.1 is one that 39 rounds and what was found have exactly: four of forty.
            found = _enrich(labels, targets, example=example, seed=seed, permutations=39)
        strong += bool((found.p_values <= 0.1).any())
    # Binomial(80, 0.1): 8 expected, 2 to 16 in all but 1 of 300 trials.
    assert 2 <= strong <= 16


def test_a_tiny_pure_cluster_is_not_evidence():
    rng = np.random.default_rng(2)
    targets = rng.integers(0, 5, 200)
    labels = np.full(200, -1)
    labels[np.flatnonzero(targets == 2)[:2]] = 0
    found = _enrich(labels, targets)
    assert found.p_values[0] > 0.05


def test_a_cluster_without_rows_on_one_side_is_unnamed_or_unscored():
    example = np.repeat(np.arange(20), 2)
    targets = (np.arange(20) % 2)[example]
    labels = np.full(40, -1)
    labels[example == 7] = 0
    found = _enrich(labels, targets, example=example)
    assert found.p_values.tolist() == [1.0]
    assert (found.naming_rows[0] == 0) != (found.held_out_rows[0] == 0)
    assert np.isnan(found.share[0])


def test_no_clusters_give_empty_results():
    found = _enrich(np.full(20, -1), np.arange(20) % 2)
    assert found.p_values.shape == (0,)
    assert found.chance_lift(0.05).shape == (0,)
