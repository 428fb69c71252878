from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from polylens.statistics import ItemMean, guessed_area, least_lead, placements


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
def test_the_mean_placement_of_either_kind_is_the_area_that_scikit_learn_gives_with_ties(seed, n, m, values):
    rng = np.random.default_rng(seed)
    scores, members = rng.integers(0, values, n + m) / 4, np.arange(n + m) < n
    group = np.concatenate([np.zeros(n + m, np.int64), np.ones(3, np.int64)])
    placed = placements(np.append(scores, [9.0, 9.0, 9.0]), np.append(members, [True] * 3), group)
    area = roc_auc_score(members, scores)
    assert placed[: n + m][members].mean() == pytest.approx(area, abs=1e-12)
    assert placed[: n + m][~members].mean() == pytest.approx(area, abs=1e-12)
    assert placed[n + m :].tolist() == [0.5] * 3  # nothing to be told from


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 3), (4, 4), (5, 2), (1, 6), (6, 1)])
def test_a_guessed_area_is_the_quantile_over_all_orders(members, others):
    places = range(members + others)
    areas = sorted(
        sum(mine > other for mine in own for other in places if other not in own) / (members * others)
        for own in combinations(places, members)
    )
    for level in (0.3, 0.5, 0.9, 0.95, 0.99):
        reached = areas[int(np.ceil(level * len(areas) - 1e-9)) - 1]
        assert guessed_area(level, members=members, others=others) == pytest.approx(reached)


def drawn(area: float, *, groups: int, seed: int, members: int = 12) -> ItemMean:
    """Members and others of normal scores that lie so far apart that this is the true area."""
    rng = np.random.default_rng(seed)
    is_member = np.tile(np.arange(2 * members) < members, groups)
    group = np.repeat(np.arange(groups), 2 * members)
    scores = rng.normal(size=len(group)) + np.sqrt(2) * norm.ppf(area) * is_member
    placed = placements(scores, is_member, group)
    return ItemMean.of_areas(placed, group=group, example=np.arange(len(group)))


@pytest.mark.parametrize("area", [0.5, 0.75, 0.97])
def test_limits_of_areas_hold_the_true_one_in_nine_of_ten_draws(area):
    held = [(each.low <= area <= each.high) for each in (drawn(area, groups=6, seed=s) for s in range(200))]
    # Nominal 0.9, wider where few are misplaced: 0.9 less 3.3 standard deviations of 200 draws.
    assert np.mean(held) >= 0.83


def test_a_perfect_area_is_as_sure_as_pairs_without_a_common_item():
    placed = np.ones(24)
    perfect = ItemMean.of_areas(placed, group=np.zeros(24, np.int64), example=np.arange(24))
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.05 ** (1 / 12))  # 12 pairs, none of them wrong
    assert not perfect.influence.any()


def test_rows_of_one_example_make_no_surer_area():
    rng = np.random.default_rng(0)
    is_member, group = np.tile(np.arange(24) < 12, 4), np.repeat(np.arange(4), 24)
    placed = placements(rng.normal(size=96) + is_member, is_member, group)
    once = ItemMean.of_areas(placed, group=group, example=np.arange(96))
    again = np.concatenate([group, group + 4])
    twice = ItemMean.of_areas(np.tile(placed, 2), group=again, example=np.tile(np.arange(96), 2))
    assert twice.value == pytest.approx(once.value)
    assert (twice.low, twice.high) == (pytest.approx(once.low, abs=0.01), pytest.approx(once.high, abs=0.01))


def test_a_lead_knows_what_two_means_have_in_common():
    rng = np.random.default_rng(0)
    right = (rng.random(100) < 0.8).astype(float)
    own = ItemMean.of_shares(right, example=np.arange(100))
    same = own.lead_over(own)
    # The two err alike: what is left is how much longer one side of the limits is than the other.
    uneven = abs(own.high + own.low - 2 * own.value)
    assert same.value == 0.0
    assert (-same.low, same.high) == (pytest.approx(uneven), pytest.approx(uneven))
    other = ItemMean.of_shares((rng.random(100) < 0.5).astype(float), example=np.arange(100))
    lead = own.lead_over(other)
    assert lead.value == pytest.approx(own.value - other.value)
    assert lead.low < lead.value < lead.high
    least = least_lead([lead, same])
    assert (least.value, least.low) == (0.0, min(same.low, lead.low))


def test_leads_hold_the_true_difference_in_nine_of_ten_draws():
    held = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        ease = rng.normal(size=150)  # some examples are easy for both
        own, other = (
            ItemMean.of_shares((ease + rng.normal(size=150) > -edge).astype(float), example=np.arange(150))
            for edge in (1.0, 0.3)
        )
        lead = own.lead_over(other)
        held.append(lead.low <= norm.cdf(1.0 / np.sqrt(2)) - norm.cdf(0.3 / np.sqrt(2)) <= lead.high)
    assert np.mean(held) >= 0.8  # 0.9 less 3.3 standard deviations of 100 draws
