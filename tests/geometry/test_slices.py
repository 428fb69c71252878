from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import network
from tests.geometry.truth import regimes
from torch import nn

from polylens.errors import UsageError
from polylens.geometry import Part, Slice, plane_slice, record, segment_crossings

TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
SIZES = {"dense": 1.0, "tokens": 0.6, "convolutional": 0.1, "residual": 0.1}


def sliced(name: str, seed: int) -> tuple[nn.Module, Part, torch.Tensor, Slice]:
    module, shape = network(name, seed=seed)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    frame = torch.randn(3, *shape, dtype=torch.float64)
    frame[1:] *= SIZES[name]
    return module, part, frame, plane_slice(part, *frame, corners=TRIANGLE)


def inside(found: Slice, place: np.ndarray) -> list[int]:
    """The cells that a place lies well inside of."""
    cells = []
    for index, polygon in enumerate(found.polygons):
        corners = found.places[list(polygon)]
        along = np.roll(corners, -1, axis=0) - corners
        to = place - corners
        turns = along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]
        if (turns > 1e-9).all():
            cells.append(index)
    return cells


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("seed", range(2))
def test_a_slice_has_its_certificate_and_sampling_finds_no_code_that_it_lacks(name: str, seed: int) -> None:
    module, part, frame, found = sliced(name, seed)
    assert found.certificate.holds, found.certificate
    assert len(found.polygons) > 5
    places = np.random.default_rng(seed).dirichlet((1, 1, 1), size=300)[:, 1:]
    weights = torch.as_tensor(np.column_stack([np.ones(len(places)), places]))
    true = regimes(module, part, torch.tensordot(weights, frame, dims=1))
    known = {b"".join(code[cell].tobytes() for code in found.codes) for cell in range(len(found.polygons))}
    seen = {b"".join(code[point].tobytes() for code in true) for point in range(len(places))}
    assert seen <= known
    for place, *code in zip(places[:20], *true, strict=False):
        cells = inside(found, place)
        assert len(cells) <= 1
        for cell in cells:
            assert all((found.codes[i][cell] == row).all() for i, row in enumerate(code))


@pytest.mark.parametrize("name", ["dense", "tokens"])
def test_a_segment_in_the_slice_passes_the_cells_that_it_crosses(name: str) -> None:
    _, part, frame, found = sliced(name, seed=0)
    ends = np.array([[0.05, 0.1], [0.6, 0.3]])
    points = [frame[0] + float(x) * frame[1] + float(y) * frame[2] for x, y in ends]
    segment = segment_crossings(part, *points)
    places = ends[0] + segment.midpoints[:, None] * (ends[1] - ends[0])
    wide = np.diff(segment.breakpoints) > 1e-6
    cells = [inside(found, place) for place in places[wide]]
    assert all(len(cell) == 1 for cell in cells)
    assert len({cell[0] for cell in cells}) == wide.sum()


def test_counted_by_hand_two_lines_make_four_cells_and_the_decision_boundary_is_a_line() -> None:
    # Units x and y on the square from -1 to 1; logits relu(x) and relu(y).
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU())
    network[0].weight.data = torch.eye(2)
    part = record(network.eval(), torch.zeros(1, 2)).part()
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    found = plane_slice(part, torch.zeros(2), *torch.eye(2), corners=square)
    assert found.areas.tolist() == [1.0] * 4
    assert len(found.places) == 9
    assert sorted(map(tuple, found.codes[0].tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    # The larger logit changes at the diagonal of the upper right square; to the lower left both are 0 and the
    # first is named, so the upper left square, where the second leads, borders on it.
    lengths = np.linalg.norm(found.boundary[:, 1] - found.boundary[:, 0], axis=1)
    np.testing.assert_allclose(sorted(lengths), [1.0, np.sqrt(2)])


def test_lines_through_one_point_share_it() -> None:
    network = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU())
    network[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    part = record(network.eval(), torch.zeros(1, 2)).part()
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    found = plane_slice(part, torch.zeros(2), *torch.eye(2), corners=square)
    assert len(found.polygons) == 6
    assert found.certificate.holds


def test_no_slice_of_what_is_smooth() -> None:
    part = record(nn.Sequential(nn.Linear(2, 2), nn.Tanh()).eval(), torch.zeros(1, 2)).part()
    with pytest.raises(UsageError, match="tanh"):
        plane_slice(part, torch.zeros(2), *torch.eye(2), corners=TRIANGLE)
