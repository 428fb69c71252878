from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from tests.geometry.networks import network

from polylens.geometry import Slice, plane_slice, record
from polylens.geometry.subdivision import Subdivision

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
WHOLE = np.array([0])
ALL = 2**62


def lines_through(generator: np.random.Generator, count: int) -> np.ndarray:
    """Rows (a, b, c) of lines a x + b y + c = 0, each passing the square."""
    angle, far = generator.uniform(0, np.pi, count), generator.uniform(-0.9, 0.9, count)
    return np.column_stack([np.cos(angle), np.sin(angle), far])


def crossings_inside(lines: np.ndarray) -> int:
    """How many pairs of lines cross inside the square, by solving for each pair."""
    found = (np.linalg.solve(np.array([one[:2], two[:2]]), -np.array([one[2], two[2]]))
             for one, two in combinations(lines, 2))  # fmt: skip
    return sum(bool((np.abs(place) < 1).all()) for place in found)


def on(lines: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.column_stack([places, np.ones(len(places))]) @ lines.T


@pytest.mark.parametrize("count", [1, 2, 7, 40])
@pytest.mark.parametrize("most", [12, ALL])
def test_lines_make_as_many_cells_as_they_and_their_crossings_are_and_one_more(count: int, most: int) -> None:
    lines = lines_through(np.random.default_rng(count), count)
    complete = Subdivision(SQUARE)
    polygons, is_cut = WHOLE, False
    while not is_cut:  # Where room ends, what is left is cut in another go.
        at = complete.vertices(polygons)
        room = len(at) + most
        cut = complete.cut_by_units(polygons, on(lines, complete.places[at]), known=at, kink=0.0, most=room)
        polygons, is_cut = cut.polygons, cut.is_complete
    assert len(polygons) == complete.n_polygons == 1 + count + crossings_inside(lines)
    cycles = complete.cycles()
    assert cycles.areas(complete.places).sum() == pytest.approx(4.0, rel=1e-12)
    # No line passes inside a cell, and no two cells are on the same sides of all lines.
    values = on(lines, complete.places)[cycles.members]
    above, below = (np.logical_or.reduceat(found, cycles.firsts) for found in (values > 1e-9, values < -1e-9))
    assert not (above & below).any()
    assert len(np.unique(above, axis=0)) == complete.n_polygons


def test_many_lines_through_one_point_and_lines_given_twice_are_cut_once() -> None:
    angle = np.linspace(0, np.pi, 12, endpoint=False) + 0.1
    lines = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(12)])
    lines = np.concatenate([lines, lines[::-1], -lines])
    complete = Subdivision(SQUARE)
    complete.cut_by_units(WHOLE, on(lines, SQUARE), known=np.arange(4), kink=0.0, most=ALL)
    assert complete.n_polygons == 24
    assert (np.abs(complete.places).max(axis=1) < 1e-12).sum() == 1


@pytest.mark.parametrize("seed", range(3))
def test_after_cutting_by_leaders_one_element_leads_at_every_place_of_a_cell(seed: int) -> None:
    generator = np.random.default_rng(seed)
    planes = generator.normal(size=(9, 3))
    planes[8] = planes[0]
    windows = np.array([[0, 1, 2, 3], [4, 5, 6, -1], [7, 8, 1, 2]])
    complete = Subdivision(SQUARE)
    complete.cut_by_leaders(WHOLE, on(planes, SQUARE), windows, known=np.arange(4), most=ALL)
    cycles = complete.cycles()
    values = on(planes, complete.places)
    for cell in np.split(cycles.members, cycles.firsts[1:]):
        for window in windows:
            seen = values[cell][:, window[window >= 0]]
            assert (seen >= seen.max(axis=1, keepdims=True) - 1e-9).all(axis=0).any()
    assert cycles.areas(complete.places).sum() == pytest.approx(4.0, rel=1e-12)


def test_what_is_affine_is_carried_to_vertices_put_on_vertices() -> None:
    lines = lines_through(np.random.default_rng(1), 15)
    complete = Subdivision(SQUARE)
    complete.cut_by_units(WHOLE, on(lines, SQUARE), known=np.arange(4), kink=0.0, most=ALL)
    wanted = np.arange(len(complete.places))[::3]
    carried = complete.interpolate(on(lines, SQUARE), known=np.arange(4), wanted=wanted)
    np.testing.assert_allclose(carried, on(lines, complete.places[wanted]), atol=1e-12)


def test_groups_hold_every_polygon_once_and_no_more_vertices_than_allowed() -> None:
    lines = lines_through(np.random.default_rng(2), 12)
    complete = Subdivision(SQUARE)
    cut = complete.cut_by_units(WHOLE, on(lines, SQUARE), known=np.arange(4), kink=0.0, most=ALL)
    polygons = cut.polygons
    groups = complete.groups(polygons, vertices=20)
    assert np.concatenate(groups).tolist() == polygons.tolist()
    assert all(len(complete.vertices(group)) <= 20 for group in groups)
    assert len(groups) < len(polygons) / 5


def sliced(name: str, memory: int) -> Slice:
    module, shape = network(name, seed=3)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    frame = torch.randn(3, *shape, dtype=torch.float64)
    frame[1:] *= 0.15 if len(shape) > 2 else 0.8
    return plane_slice(part, *frame, corners=np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), memory=memory)


@pytest.mark.parametrize("name", ["tokens", "residual"])
def test_a_slice_in_little_memory_has_the_same_cells(name: str) -> None:
    whole, pieces = sliced(name, 2**30), sliced(name, 1)
    assert pieces.certificate.holds
    assert pieces.largest_batch < whole.largest_batch
    order = [np.lexsort(np.concatenate(found.codes, axis=1).T) for found in (whole, pieces)]
    for one, other in zip(whole.codes, pieces.codes, strict=True):
        assert (one[order[0]] == other[order[1]]).all()
    np.testing.assert_allclose(whole.areas[order[0]], pieces.areas[order[1]], rtol=1e-9, atol=1e-15)


def test_the_map_of_each_cell_gives_what_the_network_gives_inside_it() -> None:
    module, shape = network("dense", seed=3)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    frame = torch.randn(3, *shape, dtype=torch.float64)
    found = plane_slice(part, *frame, corners=SQUARE)
    maps, generator = found.affine(), np.random.default_rng(0)
    for cell, polygon in enumerate(found.polygons):
        place = generator.dirichlet(np.ones(len(polygon))) @ found.places[list(polygon)]
        point = frame[0] + float(place[0]) * frame[1] + float(place[1]) * frame[2]
        with torch.no_grad():
            true = module(point[None])[0].numpy()
        np.testing.assert_allclose(np.array([1.0, *place]) @ maps[cell], true, atol=1e-7)
