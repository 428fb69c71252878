"""Rows compared along a few directions first: the same trees to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from tests.clustering.trees import distances, tree_weights

from polylens.clustering import dense_space, hierarchy, turning
from polylens.clustering.dense_space import DenseSpace, lengths
from polylens.clustering.spaces import Nearest
from polylens.clustering.turning import turn_rows
from polylens.kernels.distances import COSINE, is_beyond_by_all, is_beyond_by_angle, measure_pairs
from polylens.kernels.narrowing import narrow
from polylens.kernels.tiles import Measure

WIDTH = 300


def decaying(generator, rows):
    return generator.normal(size=(rows, WIDTH)) * (np.arange(WIDTH) + 1.0) ** -0.8


def grouped(generator, rows):
    centres = 3 * decaying(generator, 12)
    return centres[generator.integers(0, 12, rows)] + 0.3 * decaying(generator, rows)


KINDS = {
    "decaying": decaying,
    "grouped": grouped,
    "isotropic": lambda generator, rows: generator.normal(size=(rows, WIDTH)),
    "equal rows": lambda generator, rows: grouped(generator, rows)[generator.integers(0, rows // 3, rows)],
    "rows of zeros": lambda generator, rows: grouped(generator, rows) * (np.arange(rows) % 9 > 0)[:, None],
    "far from the origin": lambda generator, rows: 1e4 + grouped(generator, rows),
    "far and hardly apart": lambda generator, rows: 1e6 + 0.3 * grouped(generator, rows),
    "one long row": lambda generator, rows: (
        grouped(generator, rows) * np.where(np.arange(rows), 1, 1e9)[:, None]
    ),
    "tiny": lambda generator, rows: 1e-22 * grouped(generator, rows),
    "large": lambda generator, rows: 1e15 * grouped(generator, rows),
    "one direction": lambda generator, rows: generator.normal(size=(rows, 1)) * np.arange(1.0, WIDTH + 1),
}


@pytest.fixture
def always(monkeypatch):
    """Rows are turned however few they are and however little that helps."""
    monkeypatch.setattr(turning, "_WORTH", 0.0)
    monkeypatch.setattr(turning, "_LESS", np.inf)
    monkeypatch.setattr(turning, "_HELD", 0.0)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("kind", KINDS)
def test_trees_of_turned_rows_are_the_same_to_the_last_bit(kind, metric, always, monkeypatch):
    rows = KINDS[kind](np.random.default_rng(0), 500).astype(np.float32)
    turned = []
    monkeypatch.setattr(
        dense_space,
        "turn_rows",
        lambda *given, **named: turned.append(turn_rows(*given, **named)) or turned[-1],
    )
    found = hierarchy(rows, metric=metric, min_samples=3)
    assert turned[0] is not None
    monkeypatch.setattr(dense_space, "turn_rows", lambda *given, **named: None)
    plain = hierarchy(rows, metric=metric, min_samples=3)
    for part in ("order", "heights", "core"):
        assert getattr(found, part).tobytes() == getattr(plain, part).tobytes()


@pytest.mark.parametrize("rows", [2, 3, 65])
def test_few_turned_rows_have_scipys_tree(rows, always):
    points = grouped(np.random.default_rng(rows), rows).astype(np.float32)
    found = hierarchy(points, metric="euclidean", min_samples=2)
    weights = tree_weights(distances(points, "euclidean"), 2)
    np.testing.assert_allclose(np.sort(found.heights), weights, rtol=1e-9)


def left_over(space, bounds, limits, row):
    """The places that no turned coordinates rule out, of those whose bounds lie below the limits."""
    columns = np.flatnonzero(bounds[row] < limits)
    room = (np.empty(len(limits), dtype=np.float32), np.empty(len(limits), dtype=np.float32))
    places = np.resize(columns, len(limits))
    found = narrow(bounds[row], space._measure(), row, 0, -1.0, limits, 1.0, places, len(columns), *room)
    return places[:found]


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_bound_is_above_the_distance(kind, coarse, always, monkeypatch):
    monkeypatch.setattr(turning, "multiplies_bfloat16", lambda: coarse)
    rows = KINDS[kind](np.random.default_rng(1), 120).astype(np.float32)
    space = DenseSpace.of(rows, metric="euclidean")
    turned = space._turned
    apart = cdist(rows.astype(np.float64), rows.astype(np.float64), "sqeuclidean")[turned.order][
        :, turned.order
    ]
    every = slice(0, len(rows))
    bounds = space._bounds(every, every)
    assert turned.coarse == coarse
    assert (bounds <= apart).all()
    limits = np.nextafter(apart, np.inf)
    for i in range(len(rows)):
        assert left_over(space, bounds, limits[i], i).tolist() == list(range(len(rows)))
        for j in range(0, len(rows), 7):
            a, b = turned.order[[i, j]]
            assert not is_beyond_by_all(rows, rows, a, b, apart[i, j])


@pytest.mark.parametrize("kind", KINDS)
def test_no_angle_is_called_beyond_its_own_distance(kind):
    rows = KINDS[kind](np.random.default_rng(1), 60).astype(np.float32)
    found = lengths(rows)
    i, j = np.triu_indices(len(rows), 1)
    apart = measure_pairs(Measure(COSINE, rows, found, rows, found), i, j)
    beyond = [
        is_beyond_by_angle(rows, rows, a, b, (found[a], found[b]), limit)
        for a, b, limit in zip(i, j, apart, strict=True)
    ]
    assert not any(beyond)
    much_less = [
        is_beyond_by_angle(rows, rows, a, b, (found[a], found[b]), limit / 2)
        for a, b, limit in zip(i, j, apart, strict=True)
        if limit > 0.1 and found[a] * found[b] > 0
    ]
    assert sum(much_less) == len(much_less) or kind == "one direction"


def test_most_pairs_are_ruled_out_by_the_first_coordinates(always):
    rows = decaying(np.random.default_rng(0), 400).astype(np.float32)
    space = DenseSpace.of(rows, metric="euclidean")
    near = np.sort(cdist(rows, rows), axis=1)[space._turned.order, 5] ** 2
    every = slice(0, len(rows))
    bounds = space._bounds(every, every)
    left = [len(left_over(space, bounds, np.full(400, near[i]), i)) for i in range(0, 400, 9)]
    assert np.mean(left) < 0.5 * len(rows)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_lie_within_the_reach_of_those_of_a_block(kind, metric, always):
    rows = KINDS[kind](np.random.default_rng(2), 150).astype(np.float32)
    space = DenseSpace.of(rows, metric=metric)
    exact = Nearest.none_yet(np.full(len(rows), np.inf), 4)
    every = slice(0, len(rows))
    space.offer(every, every, exact)
    assert (exact.distances[:, -1] < space.reach(4)).all()


def test_turned_rows_in_the_order_of_another_process_have_the_same_tree(always, monkeypatch):
    rows = grouped(np.random.default_rng(3), 300).astype(np.float32)
    expected = hierarchy(rows, metric="euclidean", min_samples=3)
    order = np.random.default_rng(4).permutation(len(rows))
    monkeypatch.setattr(
        dense_space, "turn_rows", lambda *given, **named: turn_rows(*given, **named).in_order(order)
    )
    found = hierarchy(rows, metric="euclidean", min_samples=3)
    assert (found.order == expected.order).all()
    assert (found.heights == expected.heights).all()


def test_rows_are_turned_where_few_directions_hold_their_variance(monkeypatch):
    generator = np.random.default_rng(0)
    steep = (generator.normal(size=(1500, 512)) * 0.97 ** np.arange(512)).astype(np.float32)
    flat = generator.normal(size=(1500, 512)).astype(np.float32)
    assert turn_rows(steep, scales=None) is None  # so few rows are compared before directions are found
    monkeypatch.setattr(turning, "_WORTH", 0.0)
    assert turn_rows(steep, scales=None).first == 1
    assert turn_rows(flat, scales=None) is None
    monkeypatch.setattr(turning, "_HELD", 1.0)  # of all directions half are taken
    assert turn_rows(steep, scales=None) is None


def test_l1_and_narrow_rows_are_not_turned(always):
    rows = grouped(np.random.default_rng(0), 80).astype(np.float32)
    assert DenseSpace.of(rows, metric="l1").blocks == DenseSpace(rows, metric="l1").blocks
    assert turn_rows(rows[:, :255], scales=None) is None
