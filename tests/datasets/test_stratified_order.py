from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polylens.datasets._order import stratified_order

targets_of = st.lists(st.integers(0, 6), min_size=1, max_size=120).map(
    lambda items: np.array(items, dtype=np.int64)
)


@given(targets=targets_of, seed=st.integers(0, 50))
def test_the_order_holds_every_example_once(targets: np.ndarray, seed: int) -> None:
    order = stratified_order(targets, generator=np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(len(targets)))


@given(targets=targets_of, seed=st.integers(0, 50), data=st.data())
def test_every_first_part_holds_each_class_to_within_its_share(
    targets: np.ndarray, seed: int, data: st.DataObject
) -> None:
    order = stratified_order(targets, generator=np.random.default_rng(seed))
    taken = data.draw(st.integers(0, len(targets)))
    counts = np.bincount(targets[order[:taken]], minlength=7)
    sizes = np.bincount(targets, minlength=7)
    # Place t of the way: class c has given round(t * n_c); places of all classes add up to what was taken.
    places = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes if size])
    t = np.sort(places)[taken - 1] if taken else 0
    assert (np.abs(counts - t * sizes) <= 1).all()


def test_equal_classes_are_taken_in_rounds_of_random_order() -> None:
    targets = np.repeat(np.arange(5), 4)
    orders = [targets[stratified_order(targets, generator=np.random.default_rng(seed))] for seed in range(40)]
    for order in orders:
        assert all(sorted(order[start : start + 5]) == [0, 1, 2, 3, 4] for start in range(0, 20, 5))
    assert len({int(order[0]) for order in orders}) == 5


def test_within_a_class_the_order_is_random() -> None:
    firsts = {
        int(stratified_order(np.zeros(4, int), generator=np.random.default_rng(seed))[0])
        for seed in range(60)
    }
    assert firsts == {0, 1, 2, 3}
