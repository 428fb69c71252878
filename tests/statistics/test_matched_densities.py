from __future__ import annotations

import numpy as np
import pytest

from polylens.statistics import (
    LEAST_OVERLAP,
    Blocks,
    MeasuredPairs,
    Pairs,
    common_bins,
    density_ratios,
    matched_ratio,
    relative_density,
    resampled_ratios,
    shuffled_ratios,
)
from polylens.streams import Streams

# Distances 1 and 3 fall into bins [1, 2) and [2, 3]: three same-class and one different-class pair are short.
SAME = np.array([1.0, 1.0, 1.0, 3.0])
DIFFERENT = np.array([1.0, 3.0, 3.0, 3.0])


def _column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def test_the_matched_ratio_weights_different_pairs_to_the_same_class_distances():
    bins = common_bins(SAME, DIFFERENT, bins=2)
    # Different-class means 4 (short) and 1 (long), weighted 3 to 1: 3.25; same-class mean 5 / 4 = 1.25.
    ratio = matched_ratio(bins, _column(1, 1, 1, 2), _column(4, 1, 1, 1))
    assert ratio == pytest.approx([3.25 / 1.25])


def test_a_density_that_depends_on_distance_alone_has_a_matched_ratio_of_one():
    bins = common_bins(SAME, DIFFERENT, bins=2)
    assert matched_ratio(bins, (1 / SAME)[:, None], (1 / DIFFERENT)[:, None]) == pytest.approx([1.0])
    # Unmatched, the different-class pairs look half as dense: (1 + 3 / 3) / (3 + 1 / 3) = 0.6.
    assert (1 / DIFFERENT).mean() / (1 / SAME).mean() == pytest.approx(0.6)


def test_the_overlap_is_the_common_area():
    # Shares 3/4, 1/4 against 1/4, 3/4: 1/4 + 1/4.
    assert common_bins(SAME, DIFFERENT, bins=2).overlap() == pytest.approx(0.5)


def test_pairs_outside_the_common_range_count_for_the_shares_but_not_for_the_ratio():
    same, different = np.array([0.5, 1.0, 2.0]), np.array([1.0, 2.0, 9.0])
    bins = common_bins(same, different, bins=1)
    assert bins.same.tolist() == [-1, 0, 0]
    assert bins.overlap() == pytest.approx(2 / 3)
    assert matched_ratio(bins, _column(99, 1, 1), _column(2, 2, 99)) == pytest.approx([2.0])


def test_bins_without_pairs_of_either_kind_are_left_out():
    same, different = np.array([0.0, 5.0, 10.0]), np.array([0.0, 10.0])
    bins = common_bins(same, different, bins=3)  # the middle bin has no different-class pair
    assert matched_ratio(bins, _column(1, 50, 1), _column(3, 3)) == pytest.approx([3.0])


def test_distances_without_a_common_range_cannot_be_matched():
    assert common_bins(np.array([1.0, 2.0]), np.array([3.0, 4.0]), bins=20) is None


def test_a_ratio_over_no_boundaries_at_all_is_not_defined():
    bins = common_bins(SAME, DIFFERENT, bins=2)
    assert np.isnan(matched_ratio(bins, np.zeros((4, 1)), np.ones((4, 1)))).all()


def test_weights_are_the_same_as_repeating_pairs():
    rng = np.random.default_rng(0)
    same, different = rng.uniform(1, 3, 40), rng.uniform(2, 4, 50)
    values = rng.random((40, 2)), rng.random((50, 2))
    times = rng.integers(1, 4, 40), rng.integers(1, 4, 50)
    weighted = matched_ratio(
        common_bins(same, different, bins=5),
        *values,
        same_weight=times[0].astype(float),
        different_weight=times[1].astype(float),
    )
    repeated = matched_ratio(
        common_bins(np.repeat(same, times[0]), np.repeat(different, times[1]), bins=5),
        np.repeat(values[0], times[0], axis=0),
        np.repeat(values[1], times[1], axis=0),
    )
    assert weighted == pytest.approx(repeated)


def test_relative_density_compares_with_same_class_pairs_of_the_same_length():
    bins = common_bins(SAME, DIFFERENT, bins=2)
    same, different = relative_density(bins, np.array([1.0, 1.0, 1.0, 2.0]), np.array([4.0, 1.0, 1.0, 1.0]))
    assert same.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert different.tolist() == [4.0, 0.5, 0.5, 0.5]


def _measured(pairs: Pairs, points: np.ndarray, code: np.ndarray) -> MeasuredPairs:
    distance = np.abs(points[pairs.left] - points[pairs.right])
    return MeasuredPairs(pairs, distance, code[:, None])


def test_numerators_and_denominators_are_plain_means():
    pairs = Pairs(np.array([0, 0]), np.array([1, 2])), Pairs(np.array([1, 1]), np.array([2, 3]))
    points = np.array([0.0, 1.0, 2.0, 4.0])
    same, different = (
        _measured(pairs[0], points, np.array([0.1, 0.4])),
        _measured(pairs[1], points, np.array([0.3, 0.6])),
    )
    numbers = density_ratios(same, different, bins=None).numbers
    assert numbers["numerator_same"] == pytest.approx([0.25])
    assert numbers["numerator_different"] == pytest.approx([0.45])
    assert numbers["denominator_same"] == pytest.approx(1.5)
    assert numbers["denominator_different"] == pytest.approx(2.0)
    # Densities 0.1 and 0.2 against 0.3 and 0.2.
    assert numbers["raw_ratio"] == pytest.approx([0.25 / 0.15])
    assert np.isnan(numbers["matched_ratio"]).all()


def test_resampled_examples_scatter_as_much_as_fresh_examples_do():
    """The spread of a mean over pairs is that of drawing new examples, though pairs share their ends."""

    def ratio(rng: np.random.Generator) -> tuple[MeasuredPairs, MeasuredPairs]:
        level = rng.lognormal(0, 0.5, 60)
        left, right = np.triu_indices(60, 1)
        same = (left % 2) == (right % 2)
        code = level[left] * level[right]
        pairs = [Pairs(left[kind], right[kind]) for kind in (same, ~same)]
        return tuple(
            MeasuredPairs(part, np.ones(len(part)), code[kind][:, None])
            for part, kind in zip(pairs, (same, ~same), strict=True)
        )

    fresh = [density_ratios(*ratio(np.random.default_rng(s)), bins=None).same_measure[0] for s in range(400)]
    one = ratio(np.random.default_rng(1000))
    again = [
        ratios.same_measure[0]
        for ratios in resampled_ratios(
            *one, bins=None, blocks=Blocks.of(np.arange(60)), resamples=400, streams=Streams(0)
        )
    ]
    assert 0.6 < np.std(again) / np.std(fresh) < 1.6


def test_shuffled_classes_give_ratios_around_one():
    rng = np.random.default_rng(0)
    points, classes = rng.normal(size=80), np.arange(80) % 4
    left, right = np.triu_indices(80, 1)
    distance = np.abs(points[left] - points[right])
    alike = classes[left] == classes[right]
    code = np.where(alike, 0.1, 0.3)[:, None] * distance[:, None]
    same = MeasuredPairs(Pairs(left[alike], right[alike]), distance[alike], code[alike])
    different = MeasuredPairs(Pairs(left[~alike], right[~alike]), distance[~alike], code[~alike])
    bins = common_bins(same.distance, different.distance, bins=10)
    assert density_ratios(same, different, bins=bins).matched == pytest.approx([3.0])
    null = [
        ratios.matched[0]
        for ratios in shuffled_ratios(
            same,
            different,
            classes=classes,
            blocks=Blocks.of(np.arange(80)),
            n_bins=10,
            permutations=50,
            streams=Streams(0),
        )
    ]
    assert np.mean(null) == pytest.approx(1.0, abs=0.05)


def test_little_overlap_gives_no_matched_ratio():
    # A density that falls with distance and is the same for both kinds of pairs. Where hardly any distance is
    # in common the last bins hold all that is compared, and the ratio is anything.
    ratios = {}
    for shift in (1.0, 3.5, 6.0):
        rng = np.random.default_rng(0)
        distances = rng.normal(5, 1, 400), rng.normal(5 + shift, 1, 400)
        pairs = Pairs(np.zeros(400, np.int64), np.ones(400, np.int64))
        same, different = (
            MeasuredPairs(pairs, each, (1 / each + 0.05 * rng.normal(size=400))[:, None] * each[:, None])
            for each in distances
        )
        bins = common_bins(same.distance, different.distance, bins=20)
        found = density_ratios(same, different, bins=bins)
        ratios[shift] = bins.can_match, found.overlap, found.matched[0]
    assert ratios[1.0] == (True, pytest.approx(0.6, abs=0.02), pytest.approx(1.0, abs=0.05))
    for shift in (3.5, 6.0):
        can_match, overlap, matched = ratios[shift]
        assert 0 < overlap < LEAST_OVERLAP
        assert not can_match
        assert np.isnan(matched)


def test_copies_of_an_example_are_drawn_and_shuffled_together():
    # Rows 0 and 1 are one observation: a pair of the two halves never has one without the other.
    blocks = Blocks.of(np.array([0, 0, 2, 3]))
    pairs = Pairs(np.array([0, 1]), np.array([2, 2]))
    same, different = (
        MeasuredPairs(pairs, np.ones(2), np.array([[0.1], [0.3]])),
        MeasuredPairs(Pairs(np.array([0, 1]), np.array([3, 3])), np.ones(2), np.array([[0.2], [0.6]])),
    )
    for ratios in resampled_ratios(
        same, different, bins=None, blocks=blocks, resamples=30, streams=Streams(0)
    ):
        assert ratios.same_values == pytest.approx([0.2])
        assert ratios.different_values == pytest.approx([0.4])


def test_a_density_is_divided_by_the_distance_and_other_measures_are_not_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    pairs, distance, values = Pairs(np.arange(50), np.arange(50) + 1), rng.random(50), rng.random((50, 2))
    density = MeasuredPairs(pairs, distance, values)
    plain = MeasuredPairs(pairs, distance, values, per_distance=False)
    np.testing.assert_array_equal(density.measure, values / distance[:, None])
    np.testing.assert_array_equal(plain.measure, values)
    # To multiply by the distance and to divide by it again would not give the values back.
    assert ((values * distance[:, None]) / distance[:, None] != values).any()
    some = plain.choose(distance > 0.5)
    np.testing.assert_array_equal(some.join(some).measure, np.concatenate([values[distance > 0.5]] * 2))
    ratios = density_ratios(plain, some, bins=None)
    np.testing.assert_array_equal(ratios.same_measure, np.average(values, axis=0))
    np.testing.assert_array_equal(ratios.same_values, ratios.same_measure)
