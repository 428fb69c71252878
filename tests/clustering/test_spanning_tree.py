from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from tests.clustering.trees import (
    BIT_METRICS,
    METRICS,
    core_distances,
    distances,
    planted,
    some_points,
    tree_weights,
)

from polylens.clustering import hierarchy, passes
from polylens.clustering.blocks import Blocks, over_pairs
from polylens.clustering.copies import Copies
from polylens.clustering.keeping import Forgetful
from polylens.clustering.processes import Processes
from polylens.clustering.spanning_tree import passes_of, spanning_forest
from polylens.clustering.torch_passes import TorchPasses
from polylens.errors import DataError
from polylens.progress import Silent, Unseen

CASES = 200


def close(metric):
    """Bits are counted: only the division by the width rounds. Scipy's cosines lose digits near 0."""
    return {"rtol": 1e-9, "atol": 1e-14 if metric in BIT_METRICS else 1e-11 if metric == "cosine" else 1e-12}


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_weights_and_core_distances_equal_scipys_on_random_cases(metric):
    generator = np.random.default_rng(METRICS.index(metric))
    for _ in range(CASES):
        points = some_points(generator, metric)
        min_samples = int(generator.integers(1, min(len(points), 25) + 1))
        apart = distances(points, metric)
        found = hierarchy(points, metric=metric, min_samples=min_samples)
        np.testing.assert_allclose(np.sort(found.heights), tree_weights(apart, min_samples), **close(metric))
        np.testing.assert_allclose(found.core, core_distances(apart, min_samples), **close(metric))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("min_samples", [1, 2, 5, 40])
def test_many_tiles_and_groups_equal_scipy(metric, min_samples):
    points = planted(metric)
    found = hierarchy(points, metric=metric, min_samples=min_samples)
    np.testing.assert_allclose(
        np.sort(found.heights), tree_weights(distances(points, metric), min_samples), **close(metric)
    )


@pytest.mark.parametrize("scale", [1e-19, 1e-22, 1e-43])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "l1"])
def test_numbers_that_single_precision_hardly_holds_are_still_compared_exactly(metric, scale):
    # Squares below 2^-126 lose digits in single precision, and a length of 2 * 2^-149 has a single one.
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(12, 300))
    rows = centres[generator.integers(0, 12, 400)] + 0.05 * generator.normal(size=(400, 300))
    rows = (scale * rows).astype(np.float32)
    found = hierarchy(rows, metric=metric, min_samples=2)
    weights = tree_weights(distances(rows / np.float64(scale), metric), 2)
    heights = np.sort(found.heights) / (1 if metric == "cosine" else scale)
    np.testing.assert_allclose(heights, weights, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("metric", METRICS)
def test_many_groups_left_are_joined_round_by_round_in_little_memory(metric, monkeypatch):
    points = planted(metric, groups=60)
    expected = hierarchy(points, metric=metric, min_samples=3)
    rounds = []
    monkeypatch.setattr(passes, "_PAIRS_BYTES", 0)
    kept = passes.Least.none_yet
    monkeypatch.setattr(
        passes.Least,
        "none_yet",
        lambda groups, each_two: (rounds.append(each_two), kept(groups, each_two=each_two))[1],
    )
    found = hierarchy(points, metric=metric, min_samples=3)
    assert set(rounds) == {False}
    np.testing.assert_array_equal(found.order, expected.order)
    np.testing.assert_array_equal(found.heights, expected.heights)


@pytest.mark.parametrize("metric", METRICS)
def test_products_by_torch_give_the_same_tree(metric):
    points = planted(metric, rows=300)
    bits = points.shape[1]
    for min_samples in (1, 4):
        expected = hierarchy(points, metric=metric, min_samples=min_samples, device="cpu")
        by_torch = TorchPasses(points, metric=metric, bits=bits, device="cpu", block_bytes=1 << 16)
        forest, core = spanning_forest(
            by_torch,
            copies=Copies.none(len(points)),
            min_samples=min_samples,
            keeper=Forgetful(),
            progress=Silent(),
        )
        np.testing.assert_array_equal(by_torch.in_units(core), expected.core)
        np.testing.assert_array_equal(np.sort(by_torch.in_units(forest.weights)), np.sort(expected.heights))


@pytest.mark.parametrize("metric", BIT_METRICS)
def test_packed_bits_are_the_same_rows(metric):
    points = planted(metric, width=83)
    expected = hierarchy(points, metric=metric, min_samples=4)
    found = hierarchy(np.packbits(points, axis=1), metric=metric, min_samples=4, bits=83)
    np.testing.assert_array_equal(found.order, expected.order)
    np.testing.assert_array_equal(found.heights, expected.heights)


@pytest.mark.parametrize("metric", METRICS)
def test_heights_do_not_depend_on_the_order_of_rows_to_the_last_bit(metric):
    points = planted(metric)
    shuffled = np.random.default_rng(1).permutation(len(points))
    expected = hierarchy(points, metric=metric, min_samples=6)
    found = hierarchy(points[shuffled], metric=metric, min_samples=6)
    np.testing.assert_array_equal(np.sort(found.heights), np.sort(expected.heights))
    np.testing.assert_array_equal(found.core, expected.core[shuffled])


def test_rows_far_from_the_origin_and_close_together_are_told_apart():
    """Products of such rows agree in all digits of single precision."""
    generator = np.random.default_rng(0)
    points = (1000 + 0.01 * generator.normal(size=(400, 50))).astype(np.float32)
    points[:, 0] += np.float32(1e6) * (np.arange(400) % 2)
    for metric in ("euclidean", "cosine", "l1"):
        found = hierarchy(points, metric=metric, min_samples=3)
        apart = distances(points, metric)
        np.testing.assert_allclose(np.sort(found.heights), tree_weights(apart, 3), rtol=1e-6, atol=1e-15)


def test_very_small_and_very_large_numbers():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(60, 9))
    for scale in (1e-30, 1e-20, 1e15):
        points = (values * scale).astype(np.float32)
        found = hierarchy(points, metric="euclidean", min_samples=3)
        np.testing.assert_allclose(
            np.sort(found.heights), tree_weights(distances(points, "euclidean") / scale, 3) * scale, rtol=1e-6
        )
    with pytest.raises(DataError, match="too large"):
        hierarchy((values * 1e30).astype(np.float32), metric="euclidean", min_samples=3)


def test_every_pair_of_blocks_comes_once_and_no_block_twice_in_a_round():
    for rows in range(1, 40):
        blocks = Blocks(rows=rows, size=3)
        rounds = list(blocks.rounds())
        for pairs in rounds:
            if len({pair[0] == pair[1] for pair in pairs}) == 1 and pairs[0][0] != pairs[0][1]:
                seen = [block for pair in pairs for block in pair]
                assert len(seen) == len(set(seen))
        met = [pair for pairs in rounds for pair in pairs]
        assert sorted(met) == [(a, b) for a in range(blocks.count) for b in range(a, blocks.count)]
        assert sum(map(blocks.pairs_of_rows, met)) == rows * (rows - 1) // 2


class Remembering:
    def __init__(self):
        self.arrays = {}

    def load(self, name):
        return self.arrays.get(name)

    def save(self, name, arrays):
        self.arrays[name] = {key: np.array(value) for key, value in arrays.items()}


class Interrupting(Silent):
    """Stops the user's patience at the first task of a title."""

    def __init__(self, title):
        self.title = title
        self.seen = []

    def task(self, title, *, total, unit):
        self.seen.append(title)
        if title.startswith(self.title):
            raise KeyboardInterrupt
        return super().task(title, total=total, unit=unit)


def test_an_interrupt_keeps_the_finished_passes():
    points, keeper = planted("hamming"), Remembering()
    with pytest.raises(KeyboardInterrupt):
        hierarchy(points, metric="hamming", keeper=keeper, progress=Interrupting("edges"))
    watching = Interrupting("never")
    found = hierarchy(points, metric="hamming", keeper=keeper, progress=watching)
    assert watching.seen
    assert all(title.startswith("edges between") for title in watching.seen)
    np.testing.assert_array_equal(found.heights, hierarchy(points, metric="hamming").heights)


def test_an_interrupt_in_the_middle_of_a_pass_stops_it():
    class Impatient(Silent):
        def task(self, title, *, total, unit):
            task = super().task(title, total=total, unit=unit)

            class Stopping:
                def __enter__(self):
                    task.__enter__()
                    return self

                def __exit__(self, *error):
                    return task.__exit__(*error)

                def advance(self, amount=1.0):
                    raise KeyboardInterrupt

            return Stopping()

    with pytest.raises(KeyboardInterrupt):
        hierarchy(planted("hamming", rows=5000), metric="hamming", progress=Impatient())


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_one_of_several_processes_shows_how_far_all_are(rank):
    advanced = []

    class Counted(Silent):
        @contextmanager
        def task(self, title, *, total, unit):
            class Task:
                def advance(self, amount=1.0):
                    advanced.append(amount)

            yield Task()

    over_pairs(
        Blocks(rows=1000, size=128),
        lambda pair, worker: None,
        title="pairs",
        processes=Processes(rank, 3),
        progress=Counted(),
    )
    assert sum(advanced) == pytest.approx(1000 * 999 / 2)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_one_of_several_processes_with_devices_shows_how_far_all_are(rank):
    points, advanced = planted("hamming", rows=500), []

    class Counted(Silent):
        @contextmanager
        def task(self, title, *, total, unit):
            class Task(Unseen):
                def advance(self, amount=1.0):
                    advanced.append(amount)

            yield Task()

    class Alone(Processes):
        def gather(self, array):
            return [array]

    by_torch = TorchPasses(points, metric="hamming", bits=96, device="cpu", block_bytes=4 * 500 * 110)
    by_torch.nearest(8, Alone(rank, 3), Counted())  # five blocks of 110 rows and of 60: two, two and one
    assert len(advanced) == (2, 2, 1)[rank]
    assert sum(advanced) == pytest.approx(500 * 499 / 2)


def test_two_processes_see_half_of_the_pairs_each():
    points = planted("hamming", rows=3000)
    found = []
    for rank in range(2):
        alone = passes_of(points, metric="hamming", bits=96, device="cpu")

        class Half(Processes):
            def gather(self, array):
                return [array]

        found.append(alone.nearest(8, Half(rank, 2), Silent()))
    whole = passes_of(points, metric="hamming", bits=96, device="cpu").nearest(8, Processes(), Silent())
    both = np.sort(np.concatenate([part.distances for part in found], axis=1), axis=1)[:, :8]
    np.testing.assert_array_equal(both, whole.distances)
    assert all((part.distances != whole.distances).any() for part in found)
