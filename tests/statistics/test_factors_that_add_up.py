from __future__ import annotations

import numpy as np
import pytest

from polylens.statistics import Cells, additivity, analogies, cell_means
from polylens.streams import Streams


def cells_of(n: int, seed: int = 0) -> Cells:
    rng = np.random.default_rng(seed)
    first, second, half = rng.random((3, n)) < 0.5
    return Cells.of(first, second, second_half=half)


def values_of(corners: np.ndarray, cells: Cells, *, noise: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (corners[cells.cell] + rng.normal(0, noise, (len(cells.cell), corners.shape[1]))).astype(
        np.float32
    )


def test_the_means_of_cells_are_means_of_their_rows():
    cells = cells_of(40)
    values = np.random.default_rng(2).normal(size=(40, 3)).astype(np.float32)
    means = cell_means(values, cells.weights())[0]
    for half in (0, 1):
        for cell in range(4):
            rows = (cells.cell == cell) & (cells.second_half == bool(half))
            assert means[half, cell] == pytest.approx(values[rows].mean(0), abs=1e-6)
    # A row that counts twice counts as two.
    times = np.where(cells.cell == 3, 2, 1)
    assert cell_means(values, cells.weights(times))[0] == pytest.approx(means, abs=1e-6)


def test_an_exclusive_or_is_all_interaction():
    corners = np.array([[0.0], [1.0], [1.0], [0.0]])
    found = additivity(np.stack([corners, corners]))
    assert found.additive_share == 0
    # What one factor adds alone it takes where the other is.
    assert found.same_direction == -1


def test_four_unrelated_points_have_two_thirds_and_no_direction_in_common():
    shares, cosines = [], []
    for seed in range(40):
        corners = np.random.default_rng(seed).normal(size=(4, 400))
        found = additivity(np.stack([corners, corners]))
        shares.append(found.additive_share)
        cosines.append(found.same_direction)
    assert np.mean(shares) == pytest.approx(2 / 3, abs=0.01)
    # The two edges share no corner, so that nothing makes them alike.
    assert np.mean(cosines) == pytest.approx(0, abs=0.02)


def test_noise_neither_raises_nor_lowers_additivity():
    corners = np.random.default_rng(0).normal(size=(3, 50))
    square = np.stack([corners[0], corners[0] + corners[1], corners[0] + corners[2], corners.sum(0)])
    found = []
    for seed in range(20):
        cells = cells_of(400, seed)
        noisy = values_of(square, cells, noise=2.0 + 0.01 * seed)
        found.append(additivity(cell_means(noisy, cells.weights())[0]))
    assert np.mean([each.additive_share for each in found]) == pytest.approx(1, abs=0.03)
    assert np.mean([each.same_direction for each in found]) == pytest.approx(1, abs=0.03)


def test_nothing_that_differs_has_no_share():
    found = additivity(np.ones((2, 4, 3)))
    assert (found.additive_share, found.same_direction) == (None, None)


def test_moved_rows_land_where_factors_add_up_and_elsewhere_where_they_do_not():
    corners = np.eye(3, 20)
    square = np.stack([corners[0], corners[0] + corners[1], corners[0] + corners[2], corners.sum(0)])
    shares = {}
    for name, points in (("square", square), ("unrelated", np.random.default_rng(5).normal(size=(4, 20)))):
        cells = cells_of(300)
        values = values_of(points, cells, noise=0.05)
        found = analogies(
            values,
            cells,
            cell_means(values, cells.weights())[0],
            example=np.arange(300),
            queries=10,
            targets=100,
            shuffles=3,
            streams=Streams(0),
        )
        shares[name] = found.landed.mean()
        assert found.at_home == 1
        assert found.unmoved == 0
        assert len(found.row) == 4 * 2 * 10
        assert cells.second_half[found.row].all()
    assert shares["square"] == 1
    assert found.by_chance < 0.6
    assert shares["unrelated"] < 0.6
