from __future__ import annotations

import numpy as np
import pytest

from polylens.statistics import two_dimensional_map


def _map(points, **options):
    return two_dimensional_map(points, generator=np.random.default_rng(0), **options)


def test_separate_groups_stay_separate():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 1, (40, 5)), rng.normal(30, 1, (40, 5))]).astype(np.float32)
    found = _map(points)
    assert found.method == "t-SNE"
    centre = found.places[:40].mean(0), found.places[40:].mean(0)
    spread = max(np.linalg.norm(found.places[:40] - centre[0], axis=1).max(), 1e-9)
    assert np.linalg.norm(centre[0] - centre[1]) > spread


def test_the_same_draw_gives_the_same_map():
    points = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    assert np.array_equal(_map(points).places, _map(points).places)


def test_no_more_than_the_limit_are_shown_each_once():
    found = _map(np.random.default_rng(0).normal(size=(100, 3)), limit=30)
    assert len(found.rows) == len(set(found.rows.tolist())) == len(found.places) == 30
    assert np.array_equal(found.rows, np.sort(found.rows))


@pytest.mark.parametrize(
    "points",
    [np.zeros((40, 3)), np.zeros((1, 3)), np.arange(5.0)[:, None], np.zeros((20, 4), dtype=bool)],
    ids=["equal rows", "one row", "few rows of one column", "equal bits"],
)
def test_rows_with_nothing_to_embed_are_shown_by_principal_components(points):
    found = _map(points)
    assert found.method == "principal components"
    assert found.places.shape == (len(points), 2)
    assert np.isfinite(found.places).all()


def test_bits_are_placed_too():
    bits = np.random.default_rng(0).random((50, 16)) < 0.5
    assert np.isfinite(_map(bits).places).all()
