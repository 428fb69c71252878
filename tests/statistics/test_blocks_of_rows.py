from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from polylens.statistics import Blocks, subsamples
from polylens.streams import Streams

examples = st.integers(1, 40).flatmap(lambda n: arrays(np.int64, n, elements=st.integers(0, 12)))


def _classes_by_example(example: np.ndarray) -> np.ndarray:
    return (example * 7 % 3).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(examples, st.integers(0, 2**32))
def test_shuffled_classes_keep_all_rows_of_an_example_together(example, seed):
    shuffled = Blocks.of(example).shuffled_classes(_classes_by_example(example), np.random.default_rng(seed))
    for one in np.unique(example):
        assert len(set(shuffled[example == one].tolist())) == 1


@settings(max_examples=60, deadline=None)
@given(examples, st.integers(0, 2**32))
def test_shuffled_classes_keep_the_number_of_examples_of_each_class(example, seed):
    blocks, targets = Blocks.of(example), _classes_by_example(example)
    shuffled = blocks.shuffled_classes(targets, np.random.default_rng(seed))
    assert sorted(shuffled[blocks.first].tolist()) == sorted(targets[blocks.first].tolist())


def test_examples_of_equal_size_keep_the_number_of_rows_of_each_class_exactly():
    example = np.repeat(np.arange(30), 4)
    targets = np.repeat(np.arange(30) % 3, 4)
    shuffled = Blocks.of(example).shuffled_classes(targets, np.random.default_rng(0))
    assert np.bincount(shuffled).tolist() == [40, 40, 40]
    assert not np.array_equal(shuffled, targets)


def test_examples_are_grouped_by_size_and_small_groups_are_joined():
    # 25 examples of one row, 3 of two rows, 30 of three rows: the 3 are too few and join the 30.
    sizes = [1] * 25 + [2] * 3 + [3] * 30
    blocks = Blocks.of(np.repeat(np.arange(len(sizes)), sizes))
    assert [len(group) for group in blocks.strata()] == [25, 33]


@settings(max_examples=60, deadline=None)
@given(examples, st.integers(0, 2**32))
def test_moved_rows_exchange_whole_examples_of_equal_size(example, seed):
    blocks = Blocks.of(example)
    source = blocks.moved_rows(np.random.default_rng(seed))
    assert sorted(source.tolist()) == list(range(len(example)))
    for one in np.unique(example):
        came_from = example[source[example == one]]
        assert len(set(came_from.tolist())) == 1
        assert np.array_equal(source[example == one], np.sort(source[example == one]))


@settings(max_examples=60, deadline=None)
@given(examples, st.integers(0, 2**32))
def test_rows_shuffled_within_stay_in_their_example(example, seed):
    source = Blocks.of(example).rows_shuffled_within(np.random.default_rng(seed))
    assert sorted(source.tolist()) == list(range(len(example)))
    assert np.array_equal(example[source], example)


@settings(max_examples=40, deadline=None)
@given(examples)
def test_counts_of_blocks_add_up_to_the_counts_of_rows(example):
    labels = (np.arange(len(example)) % 4 - 1).astype(np.int64)
    counts = Blocks.of(example).counts(labels, 3)
    assert counts.sum(0).tolist() == [int((labels == label).sum()) for label in range(3)]


def test_subsamples_take_whole_examples_without_repeating_any():
    example = np.repeat(np.arange(10), 3)
    drawn = subsamples(Blocks.of(example), count=5, streams=Streams(0), fraction=0.8)
    assert [len(rows) for rows in drawn] == [24] * 5
    for rows in drawn:
        assert len(set(rows.tolist())) == 24
        assert np.unique(example[rows], return_counts=True)[1].tolist() == [3] * 8
    assert len({tuple(rows.tolist()) for rows in drawn}) > 1


def test_subsamples_are_named_draws_so_that_asking_for_more_keeps_the_first():
    blocks = Blocks.of(np.arange(50))
    few, more = (subsamples(blocks, count=count, streams=Streams(3)) for count in (2, 4))
    assert all(np.array_equal(a, b) for a, b in zip(few, more, strict=False))


def test_multiplicities_add_up_to_the_number_of_examples():
    blocks = Blocks.of(np.repeat(np.arange(20), 2))
    assert blocks.multiplicities(np.random.default_rng(0)).sum() == 20
