from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare

from polylens.records import CodeLayer, Codes, CodeScheme
from polylens.statistics import Blocks, Pairs, class_pairs, code_distances, row_pairs, segment_lengths

targets_of = st.integers(0, 30).flatmap(lambda n: arrays(np.int64, n, elements=st.integers(0, 4)))


@settings(max_examples=80, deadline=None)
@given(targets_of, st.booleans())
def test_asking_for_many_gives_every_pair_of_the_kind_once(targets, same):
    drawn = class_pairs(targets, same=same, count=10_000, generator=np.random.default_rng(0))
    found = {frozenset(pair) for pair in zip(drawn.left.tolist(), drawn.right.tolist(), strict=True)}
    wanted = {
        frozenset(pair)
        for pair in combinations(range(len(targets)), 2)
        if (targets[pair[0]] == targets[pair[1]]) == same
    }
    assert found == wanted
    assert len(drawn) == len(wanted)


@settings(max_examples=60, deadline=None)
@given(targets_of, st.booleans(), st.integers(0, 2**32))
def test_drawn_pairs_are_of_their_kind_without_repeats_or_self_pairs(targets, same, seed):
    drawn = class_pairs(targets, same=same, count=15, generator=np.random.default_rng(seed))
    assert ((targets[drawn.left] == targets[drawn.right]) == same).all()
    assert (drawn.left != drawn.right).all()
    assert len({frozenset(pair) for pair in zip(drawn.left, drawn.right, strict=True)}) == len(drawn)
    assert len(drawn) <= 15


@pytest.mark.parametrize("same", [True, False])
def test_every_pair_of_the_kind_is_equally_likely(same):
    # Unequal classes: 5, 3 and 2 rows have 10 + 3 + 1 = 14 same-class and 15 + 10 + 6 = 31 other pairs.
    targets = np.array([0, 1, 0, 2, 0, 1, 0, 2, 1, 0])
    counts: dict[frozenset[int], int] = {}
    for seed in range(1500):
        drawn = class_pairs(targets, same=same, count=4, generator=np.random.default_rng(seed))
        for pair in zip(drawn.left.tolist(), drawn.right.tolist(), strict=True):
            counts[frozenset(pair)] = counts.get(frozenset(pair), 0) + 1
    assert len(counts) == (14 if same else 31)
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_pairs_of_a_large_set_are_decoded_exactly():
    targets = np.zeros(200_000, dtype=np.int64)
    drawn = class_pairs(targets, same=True, count=1000, generator=np.random.default_rng(0))
    assert len(drawn) == 1000
    assert (drawn.left < drawn.right).all()
    assert drawn.right.max() < 200_000


def test_row_pairs_keep_the_examples_of_their_ends():
    example = np.array([4, 4, 9, 9, 9, 1])
    blocks = Blocks.of(example)
    ends = Pairs(np.array([0, 1, 0]), np.array([1, 2, 2]))  # blocks of examples 1, 4 and 9
    rows = row_pairs(ends, blocks=blocks, generator=np.random.default_rng(0))
    assert example[rows.left].tolist() == [1, 4, 1]
    assert example[rows.right].tolist() == [4, 9, 9]


def test_weights_are_the_products_of_the_ends():
    pairs = Pairs(np.array([0, 1]), np.array([1, 2]))
    assert pairs.weights(np.array([2, 3, 0])).tolist() == [6.0, 0.0]


def test_lengths_do_not_lose_precision_far_from_the_origin():
    # In float32, 2**20 + 0.125 is exact but its square is not.
    points = np.array([[2.0**20], [2.0**20 + 0.125]], dtype=np.float32)
    assert segment_lengths(points, pairs=Pairs(np.array([0]), np.array([1]))).tolist() == [0.125]


def test_lengths_are_of_whole_tensors_however_they_are_shaped():
    points = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    # 12 places, each 12 apart: sqrt(12 * 144).
    assert segment_lengths(points, pairs=Pairs(np.array([0]), np.array([1]))) == pytest.approx(
        [np.sqrt(1728)]
    )


def test_code_distances_are_shares_of_each_layers_units():
    bits = np.array([[1, 0, 1, 0, 0, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0, 0, 0, 0]], dtype=bool)
    packed = np.concatenate([np.packbits(bits[:, :4], axis=1), np.packbits(bits[:, 4:], axis=1)], axis=1)
    scheme = CodeScheme((CodeLayer("a", 4), CodeLayer("b", 5)), names_polytopes=False, reason="a test")
    distances = code_distances(Codes(packed, scheme), pairs=Pairs(np.array([0]), np.array([1])))
    assert distances.tolist() == [[1 / 4, 1 / 5]]
