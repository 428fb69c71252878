from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest
from tests.shapes import unchecked

from polylens.records import Alternative, Partition
from polylens.statistics import (
    Blocks,
    Interval,
    class_null,
    information_agreement,
    p_value,
    partition_number,
    purity,
    stability_range,
    subsamples,
)
from polylens.streams import Streams


def test_the_p_value_counts_the_observed_labelling_too():
    assert p_value(10.0, np.zeros(99)) == 0.01
    assert p_value(0.0, np.zeros(99)) == 1.0


def test_an_interval_is_the_middle_ninety_percent():
    interval = Interval.of(map(float, range(101)), meaning="{count} draws")
    assert (interval.low, interval.high, interval.meaning) == (5.0, 95.0, "101 draws")


def test_undefined_values_are_left_out_and_one_value_is_no_interval():
    assert Interval.of([None, 1.0, np.nan], meaning="x") == Interval(None, None, "")
    assert Interval.of([None, 1.0, 3.0], meaning="{count}").meaning == "2"


def test_a_partitions_number_has_the_range_of_its_subsamples():
    labels = np.array([0, 0, 1, -1])
    drawn = tuple(Alternative("subsample", k, np.arange(2), np.array([0, -1])) for k in range(3))
    curve = Alternative("min_cluster_size", 9, np.arange(4), np.full(4, -1))
    partition = Partition(labels, np.ones(4, np.float32), np.array([0, 2]), alternatives=(*drawn, curve))
    number = partition_number(partition, lambda labels, _: float((labels >= 0).mean()))
    assert (number.value, number.low, number.high) == (0.75, 0.5, 0.5)
    assert number.interval == "5 to 95 % of 3 subsamples of 80 % of the examples, without replacement"
    assert number.range_is == "stability"


def test_a_stability_range_is_no_interval_of_uncertainty():
    # Means of 100 normal numbers, whose truth is 0. The standard deviation over subsamples of 80 % is half
    # the standard error, so that 5 to 95 % of them hold the truth in 2 * Phi(1.645 / 2) - 1 = 59 % of data
    # sets (ten subsamples reach a little less far), where an interval would in 90 %.
    blocks, held = Blocks.of(np.arange(100)), []
    for number in range(300):
        values = np.random.default_rng(number).standard_normal(100)
        drawn = subsamples(blocks, count=10, streams=Streams(number))
        found = stability_range(values[chosen].mean() for chosen in drawn)
        held.append(found.low <= 0 <= found.high)
        assert found.range_is == "stability"
    assert 0.4 < np.mean(held) < 0.7


def test_chance_is_the_mean_of_the_null_or_a_quantile_of_it():
    partition = Partition(np.zeros(3, np.int64), np.ones(3, np.float32), np.array([0]))
    null = np.arange(101) / 100
    mean = partition_number(partition, lambda *_: 1.0, null=null, null_is="101 shuffles")
    assert (mean.chance, mean.chance_is) == (pytest.approx(0.5), "mean of 101 shuffles")
    high = partition_number(partition, lambda *_: 1.0, null=null, level=0.95, null_is="101 shuffles")
    assert (high.chance, high.chance_is) == (pytest.approx(0.95), "95 % of 101 shuffles stay below")


def test_the_null_keeps_clusters_and_noise_and_its_best_cluster_is_the_family_wise_level():
    rng = np.random.default_rng(0)
    labels, targets = rng.integers(-1, 6, 300), rng.integers(0, 5, 300)
    null = class_null(labels, targets, blocks=Blocks.of(np.arange(300)), permutations=60, streams=Streams(0))
    assert null.cluster_purity.shape == (60, 6)
    assert (null.best_cluster_purity >= null.cluster_purity.mean(1)).all()
    assert null.information.mean() == pytest.approx(0.0, abs=0.01)


def test_a_partition_without_clusters_has_a_null_too():
    null = class_null(
        np.full(30, -1),
        np.arange(30) % 3,
        blocks=Blocks.of(np.arange(30)),
        permutations=5,
        streams=Streams(0),
    )
    assert null.best_cluster_purity.tolist() == [0.0] * 5


def _p_values(*, by_example: bool, draws: int) -> np.ndarray:
    """P-values where rows of one example cluster together and classes mean nothing."""
    found = []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        example = np.repeat(np.arange(40), 5)
        labels = np.where(rng.random(200) < 0.85, rng.integers(0, 6, 40)[example], rng.integers(-1, 6, 200))
        targets = rng.integers(0, 4, 40)[example]
        blocks = Blocks.of(example if by_example else np.arange(200))
        with unchecked(when=seed > 0):
            null = class_null(labels, targets, blocks=blocks, permutations=49, streams=Streams(seed))
        found.append(
            (
                p_value(purity(labels, targets) or 0.0, null.purity),
                p_value(information_agreement(labels, targets), null.information),
            )
        )
    return np.array(found)


def test_block_permutations_are_calibrated_where_rows_of_one_example_belong_together():
    found = _p_values(by_example=True, draws=120)
    # Uniform on 1/50, ..., 1: Kolmogorov and Smirnov's test must not find otherwise.
    assert kstest(found[:, 0] - 0.01, "uniform").pvalue > 0.01
    assert kstest(found[:, 1] - 0.01, "uniform").pvalue > 0.01


def test_permuting_rows_instead_would_call_nothing_something():
    # Some nine in ten are that low: thirty draws show it.
    assert (_p_values(by_example=False, draws=30) <= 0.05).mean() > 0.5
