from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from torch import nn

from polylens.errors import UsageError
from polylens.geometry import Part, nearest_boundaries, record, regimes


def _codes(part: Part, points: torch.Tensor) -> list[np.ndarray]:
    return regimes(part, points)[0]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_boundary_is_met_along_the_normal_exactly_there_and_in_no_direction_sooner(
    name: str, seed: int
) -> None:
    module, shape = network(name, seed=seed)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    points = torch.randn(3, *shape, dtype=torch.float64)
    found = nearest_boundaries(part, points)
    ones = [1] * len(shape)
    steps = torch.as_tensor(found.normal) * torch.as_tensor(found.distance).reshape(-1, *ones)
    np.testing.assert_allclose(np.linalg.norm(found.normal.reshape(3, -1), axis=1), 1.0)
    here = _codes(part, points)
    short, beyond = _codes(part, points + steps * (1 - 1e-6)), _codes(part, points + steps * (1 + 1e-6))
    for point in range(3):
        place, unit = found.nonlinearity[point], found.unit[point]
        assert beyond[place][point, unit] == found.after[point] != here[place][point, unit]
        for index, item in enumerate(part.nonlinearities):
            np.testing.assert_array_equal(here[index][point], short[index][point])
            changed = np.flatnonzero(here[index][point] != beyond[index][point])
            # Beside the unit itself only a window of zeros may change, which the unit gives its winner.
            assert index == place or item.role == "pool" or not len(changed)
        around = torch.randn(200, *shape, dtype=torch.float64)
        around *= found.distance[point] * (1 - 1e-6) / around.flatten(1).norm(dim=1).reshape(-1, *ones)
        for one, other in zip(here, _codes(part, points[point] + around), strict=True):
            assert (one[point] == other).all()


def test_the_nearest_of_three_lines_is_found_and_nearer_kinks_of_later_units_count() -> None:
    # Hidden: relu(x), relu(y). Second: relu(relu(x) - relu(y)). At (3, 2) the first boundaries are 3 and 2
    # away, the diagonal (3 - 2) / sqrt(2). At (3, -1) the second's is x = 0, 3 away, and relu(y)'s 1.
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU()).eval()
    net[0].weight.data, net[0].bias.data = torch.eye(2), torch.zeros(2)
    net[2].weight.data, net[2].bias.data = torch.tensor([[1.0, -1.0]]), torch.zeros(1)
    part = record(net, torch.zeros(1, 2)).part()
    found = nearest_boundaries(part, torch.tensor([[3.0, 2.0], [3.0, -1.0], [-1.0, -2.0]]))
    np.testing.assert_allclose(found.distance, [1 / np.sqrt(2), 1.0, 1.0])
    assert found.nonlinearity.tolist() == [1, 0, 0]
    assert found.unit.tolist() == [0, 1, 0]
    assert found.after.tolist() == [0, 1, 1]
    np.testing.assert_allclose(found.normal[0], [-1 / np.sqrt(2), 1 / np.sqrt(2)])
    # With both hidden units shut the last one stands still on its kink: no boundary of this polytope.
    assert found.still.tolist() == [0, 0, 1]


def test_a_windows_winner_is_as_far_from_losing_as_its_lead_says() -> None:
    net = nn.Sequential(nn.Unflatten(1, (1, 1, 3)), nn.MaxPool2d((1, 3)), nn.Flatten()).eval()
    part = record(net, torch.zeros(1, 3)).part()
    # The first leads the second by 1: where they meet is 1 / sqrt(2) away.
    found = nearest_boundaries(part, torch.tensor([[4.0, 3.0, 0.0]]))
    assert found.distance.tolist() == [pytest.approx(1 / np.sqrt(2))]
    assert (found.unit.tolist(), found.after.tolist()) == ([0], [1])
    np.testing.assert_allclose(found.normal, [[-1 / np.sqrt(2), 1 / np.sqrt(2), 0]])


def test_a_cell_of_everything_has_no_boundary() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).eval()
    net[0].weight.data.zero_(), net[0].bias.data.fill_(1.0)
    found = nearest_boundaries(record(net, torch.zeros(1, 2)).part(), torch.zeros(2, 2))
    assert found.distance.tolist() == [np.inf, np.inf]
    assert (found.nonlinearity.tolist(), found.unit.tolist()) == ([-1, -1], [-1, -1])
    assert not found.normal.any()
    assert found.still.tolist() == [3, 3]


def test_what_has_no_exact_boundaries_is_refused_in_words() -> None:
    smooth = nn.Sequential(nn.Linear(2, 3), nn.GELU()).eval()
    with pytest.raises(UsageError, match="smooth"):
        nearest_boundaries(record(smooth, torch.zeros(1, 2)).part(), torch.zeros(1, 2))
    linear = nn.Sequential(nn.Linear(2, 3)).eval()
    with pytest.raises(UsageError, match="regimes"):
        nearest_boundaries(record(linear, torch.zeros(1, 2)).part(), torch.zeros(1, 2))
    relu = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).eval()
    with pytest.raises(UsageError, match="no points"):
        nearest_boundaries(record(relu, torch.zeros(1, 2)).part(), torch.zeros(0, 2))
