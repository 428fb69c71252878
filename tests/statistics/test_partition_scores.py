from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from polylens.statistics import (
    adjusted_mutual_information,
    adjusted_rand,
    cluster_classes,
    contingency,
    coverage,
    purity,
)
from polylens.statistics.expected_information import expected_mutual_information

LABELS = np.array([0, 0, 0, 1, 1, -1])
TARGETS = np.array([2, 2, 1, 0, 0, 1])

labellings = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(-1, 4)), arrays(np.int64, n, elements=st.integers(0, 4))
    )
)


def _dense(labels: np.ndarray) -> np.ndarray:
    """Labels without gaps, as partitions have them."""
    found = np.unique(labels[labels >= 0])
    return np.where(labels >= 0, np.searchsorted(found, labels), -1).astype(np.int64)


def test_purity_counts_the_majority_class_of_each_cluster_and_leaves_noise_out():
    # Cluster 0 holds 2, 2, 1: two of three; cluster 1 holds 0, 0: two of two; together 4 of 5.
    assert purity(LABELS, TARGETS) == 0.8
    assert cluster_classes(LABELS, TARGETS).purity.tolist() == [2 / 3, 1.0]
    assert cluster_classes(LABELS, TARGETS).majority.tolist() == [2, 0]


def test_entropy_of_a_clusters_classes_is_in_bits():
    # Shares 2/3 and 1/3: log2(3) - 2/3 = 0.918 bits; one class: none.
    assert cluster_classes(LABELS, TARGETS).entropy == pytest.approx([np.log2(3) - 2 / 3, 0.0])


def test_purity_does_not_exist_where_nothing_is_clustered():
    assert purity(np.full(4, -1), np.arange(4)) is None


def test_coverage_is_the_share_of_rows_in_a_cluster():
    assert coverage(LABELS) == pytest.approx(5 / 6)


def test_contingency_puts_noise_last():
    assert contingency(LABELS, TARGETS).tolist() == [[0, 1, 2], [2, 0, 0], [0, 1, 0]]


def test_agreement_of_two_labellings_by_hand():
    # Margins (2, 2) and (1, 3): 2 and 3 of the 6 pairs are together, by chance 2 * 3 / 6 = 1 pair in
    # both; the only cell with a pair is the 2: 1 pair, hence (1 - 1) / (2.5 - 1) = 0.
    assert adjusted_rand(np.array([[1, 1], [0, 2]])) == 0.0
    # Margins (3, 1) twice: 3 pairs in each and in both, chance 9 / 6 = 1.5: (3 - 1.5) / (3 - 1.5) = 1.
    assert adjusted_rand(np.array([[3, 0], [0, 1]])) == 1.0


@pytest.mark.parametrize("score", [adjusted_mutual_information, adjusted_rand])
def test_labellings_on_which_chance_cannot_but_agree_tell_nothing(score):
    assert score(np.array([[7]])) == 0.0
    assert score(np.eye(3, dtype=np.int64)) == 0.0


@settings(max_examples=60, deadline=None)
@given(labellings)
def test_adjusted_scores_agree_with_scikit_learn(pair):
    first, second = _dense(pair[0]), _dense(pair[1])
    if {len(np.unique(first)), len(np.unique(second))} in ({1}, {len(first)}):
        return  # chance cannot but agree: 0 here, 1 there
    counts = contingency(first, second)
    assert adjusted_mutual_information(counts) == pytest.approx(
        adjusted_mutual_info_score(first, second), abs=1e-9
    )
    assert adjusted_rand(counts) == pytest.approx(adjusted_rand_score(first, second), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(labellings, st.permutations(range(5)), st.permutations(range(5)))
def test_scores_do_not_depend_on_what_clusters_and_classes_are_called(pair, clusters, classes):
    first, second = _dense(pair[0]), pair[1]
    renamed = np.where(first >= 0, np.array(clusters)[first], -1)
    recoded = np.array(classes)[second]
    assert purity(_dense(renamed), recoded) == purity(first, second)
    before = adjusted_mutual_information(contingency(first, second))
    assert adjusted_mutual_information(contingency(_dense(renamed), recoded)) == pytest.approx(
        before, abs=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(labellings, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_rows(pair, random):
    first, second = _dense(pair[0]), pair[1]
    order = list(range(len(first)))
    random.shuffle(order)
    assert purity(first[order], second[order]) == purity(first, second)
    assert np.array_equal(contingency(first[order], second[order]), contingency(first, second))


def test_expected_information_of_many_labels_agrees_with_scikit_learn():
    from sklearn.metrics.cluster import expected_mutual_information as theirs

    rng = np.random.default_rng(0)
    for n_left, n_right in ((1, 7), (40, 300), (3, 2), (500, 500)):
        counts = np.zeros((n_left, n_right), np.int64)
        np.add.at(counts, (rng.zipf(1.6, 700) % n_left, rng.integers(0, n_right, 700)), 1)
        kept = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
        assert expected_mutual_information(counts) == pytest.approx(float(theirs(kept, 700)), rel=1e-9)


def test_expected_information_is_the_mean_over_shuffles():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 6, 40), rng.integers(0, 4, 40)
    drawn = [_information(contingency(first, rng.permutation(second))) for _ in range(4000)]
    expected = expected_mutual_information(contingency(first, second))
    assert expected == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(4000))


def _information(counts):
    joint = counts / counts.sum()
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return float((joint[joint > 0] * np.log(joint[joint > 0] / apart[joint > 0])).sum())
