"""Purity at equal coverage against a count row by row, and leads against simulations with known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shapes import unchecked

from polylens.records import Partition
from polylens.statistics import Firmness, equal_coverage, lead_number
from polylens.streams import Streams

STRENGTHS = (0.25, 0.5, 1.0)


def firmness(labels, strength, targets, example=None) -> Firmness:
    labels = np.asarray(labels, np.int64)
    part = Partition(labels, np.asarray(strength, np.float32), np.zeros(labels.max(initial=-1) + 1, np.int64))
    example = np.arange(len(labels)) if example is None else np.asarray(example)
    return Firmness.of(part, np.asarray(targets, np.int64), example=example)


def counted(labels, strength, targets, taken: float) -> float:
    """Right rows among the `taken` firmest, by going through one strength after the other."""
    most = {k: np.bincount(targets[labels == k]).argmax() for k in set(labels.tolist()) - {-1}}
    right, left = 0.0, taken
    for value in sorted(set(strength[labels >= 0].tolist()), reverse=True):
        rows = np.flatnonzero((labels >= 0) & (strength == value))
        share = min(left, len(rows)) / len(rows)
        right += share * sum(targets[row] == most[labels[row]] for row in rows)
        left -= share * len(rows)
    return right


@st.composite
def clusterings(draw, rows=24):
    def of(values):
        return np.array(draw(st.lists(st.sampled_from(values), min_size=rows, max_size=rows)))

    labels = of([-1, 0, 1, 2])
    _, labels = np.unique(np.append(labels, -1), return_inverse=True)
    return labels[:-1] - 1, of(STRENGTHS)


@settings(max_examples=60, deadline=None)
@given(clusterings(), clusterings(), st.lists(st.integers(0, 2), min_size=24, max_size=24))
def test_the_firmest_rows_of_either_are_as_right_as_counted_row_by_row(first, second, targets):
    targets = np.array(targets)
    found = equal_coverage(firmness(*first, targets), [firmness(*second, targets)])
    taken = min((first[0] >= 0).sum(), (second[0] >= 0).sum())
    assert found.coverage[0] == pytest.approx(taken / 24)
    for value, all_right, (labels, strength) in (
        (found.own[0], found.own_right[0], first),
        (found.other[0], found.other_right[0], second),
    ):
        if taken:
            assert value == pytest.approx(counted(labels, strength, targets, taken) / taken)
        else:
            assert np.isnan(value)
        assert all_right == pytest.approx(counted(labels, strength, targets, (labels >= 0).sum()) / 24)


@settings(max_examples=30, deadline=None)
@given(clusterings(rows=12), st.integers(0, 10**6))
def test_a_resampled_example_counts_as_often_as_it_is_drawn(clustering, seed):
    rng = np.random.default_rng(seed)
    labels, strength = clustering
    targets, example = rng.integers(0, 2, 12), np.repeat(np.arange(4), 3)
    times = rng.multinomial(4, [0.25] * 4).astype(float)
    own = firmness(labels, strength, targets, example)
    found = equal_coverage(own, [own], multiplicity=times)
    # The classes of clusters are those of the whole sample: only the rows are drawn again.
    kept = np.repeat(np.arange(12), times[example].astype(int))
    right = np.zeros(12, bool)
    right[own.row] = own.right
    assert found.own_right[0] == pytest.approx(right[kept].mean())
    assert found.coverage[0] == pytest.approx((labels[kept] >= 0).mean())


def test_the_order_of_rows_of_one_strength_decides_nothing():
    labels, targets = np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])
    half = firmness([0, 0, -1, -1], np.ones(4), targets)
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        found = equal_coverage(firmness(labels[order], np.ones(4), targets[order]), [half])
        assert found.own[0] == 0.75


def drawn_clusters(rng, *, purity: float, coverage: float, rows: int = 300) -> Firmness:
    """Clusters of four classes that are right with one probability, whatever the strength."""
    labels = np.arange(rows) % 4
    wrong = rng.random(rows) > purity
    targets = np.where(wrong, (labels + rng.integers(1, 4, rows)) % 4, labels)
    labels = np.where(rng.random(rows) < coverage, labels, -1)
    return firmness(labels, rng.random(rows), targets)


def lead_of(own, others, *, seed: int):
    streams, rows = Streams(seed), len(own.example)

    def leads(found):
        return found.own - found.other

    drawn = [streams.generator(number).integers(rows, size=rows) for number in range(40)]
    again = [
        equal_coverage(own, others, multiplicity=np.bincount(one, minlength=rows).astype(float))
        for one in drawn
    ]
    observed = equal_coverage(own, others)
    return lead_number(
        leads(observed),
        np.array([leads(each) for each in again]),
        by_chance=np.zeros((1, len(others))),
        rows=float(observed.coverage.min()) * rows,
    )


def holds(purities: tuple[float, float], *, draws: int, spread: float, rounds: int = 60) -> float:
    """How often the interval of a lead holds the true one."""
    held = 0
    for number in range(rounds):
        rng = np.random.default_rng(number)
        own = drawn_clusters(rng, purity=purities[0], coverage=0.8)
        others = [
            drawn_clusters(rng, purity=purities[1] + spread * rng.standard_normal(), coverage=0.4)
            for _ in range(draws)
        ]
        with unchecked(when=number > 0):
            lead = lead_of(own, others, seed=number)
        held += lead.low <= purities[0] - purities[1] <= lead.high
    return held / rounds


@pytest.mark.parametrize(
    ("purities", "draws", "spread"),
    [((0.9, 0.7), 1, 0.0), ((0.9, 0.6), 3, 0.1), ((0.99, 0.99), 1, 0.0), ((0.9, 0.9), 3, 0.0)],
)
def test_the_interval_of_a_lead_holds_the_truth_at_its_level(purities, draws, spread):
    # Nominal 0.90; of 60 rounds fewer than 49 (0.82) would be a chance of 2 %.
    assert holds(purities, draws=draws, spread=spread) >= 49 / 60


def test_a_lead_of_two_that_are_always_right_has_an_interval_all_the_same():
    rng = np.random.default_rng(0)
    own, other = (drawn_clusters(rng, purity=1.0, coverage=each) for each in (0.9, 0.5))
    lead = lead_of(own, [other], seed=0)
    assert lead.value == 0.0
    assert lead.low < 0 < lead.high


def test_draws_without_clusters_are_in_no_lead():
    leads = np.array([0.2, np.nan, 0.4])
    number = lead_number(leads, np.tile(leads, (5, 1)), by_chance=np.array([[0.1, 9.0, 0.3]]), rows=100.0)
    assert number.value == pytest.approx(0.3)
    assert number.chance == pytest.approx(0.2)
    assert number.interval == "90 % interval over 5 resamples of the examples and 2 draws of the control"
    assert lead_number(leads[1:2], np.full((5, 1), np.nan), by_chance=np.zeros((1, 1)), rows=1.0) is None


def test_one_draw_says_that_its_interval_knows_nothing_of_other_draws():
    number = lead_number(np.array([0.2]), np.full((5, 1), 0.2), by_chance=np.zeros((1, 1)), rows=100.0)
    assert number.interval.endswith("of one draw: how much draws differ is not in it")
