from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from tests.geometry.truth import along, regimes
from torch import nn

from polylens.errors import UsageError
from polylens.geometry import (
    effective_ranks,
    local_complexities,
    local_complexity,
    local_maps,
    random_frame,
    record,
    sampled_crossings,
    segment_crossings,
)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_map_of_a_polytope_is_that_of_every_point_in_it_and_changes_at_its_boundary(name: str) -> None:
    module, shape = network(name, seed=0)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    start, end = torch.randn(2, *shape, dtype=torch.float64)
    ends = segment_crossings(part, start, end).breakpoints
    widest = int(np.diff(ends).argmax())
    low, high = ends[widest], ends[widest + 1]
    points = along(start, end, low + (high - low) * np.array([0.1, 0.5, 0.9]))
    maps = local_maps(part, points, block=2)
    assert maps.exact
    np.testing.assert_allclose(maps.matrices[0], maps.matrices[2], rtol=0, atol=1e-12)
    np.testing.assert_allclose(maps.distances(), 0, atol=1e-12)
    # One map gives the outputs at the other points of the polytope.
    said = maps.offsets[0] + points.flatten(1).numpy() @ maps.matrices[0].T
    np.testing.assert_allclose(said, module(points).detach().numpy(), rtol=0, atol=1e-12)
    assert (maps.spectra()[:, :-1] >= maps.spectra()[:, 1:]).all()


def test_the_distance_of_maps_is_relative_to_their_norms() -> None:
    net = nn.Sequential(nn.Linear(1, 1), nn.LeakyReLU(0.5))
    net[0].weight.data.fill_(1.0), net[0].bias.data.fill_(0.0)
    part = record(net.eval(), torch.zeros(1, 1)).part()
    # Slopes 1/2 and 1: apart by 1/2, on average 3/4.
    maps = local_maps(part, torch.tensor([[-1.0], [1.0]]))
    assert maps.distances().tolist() == [pytest.approx(2 / 3)]
    with pytest.raises(UsageError, match="no points"):
        local_maps(part, torch.zeros(0, 1))


def test_a_line_through_a_small_ball_is_counted_along_every_axis_that_it_crosses() -> None:
    # The unit's boundary passes the point itself: every axis crosses it once.
    net = nn.Sequential(nn.Linear(3, 1), nn.ReLU())
    net[0].weight.data = torch.tensor([[1.0, 2.0, -1.0]])
    net[0].bias.data.fill_(0.0)
    part = record(net.eval(), torch.zeros(1, 3)).part()
    generator = torch.Generator().manual_seed(0)
    near = local_complexity(part, torch.zeros(3), radius=0.1, directions=3, generator=generator)
    assert near.sampled == {"1": 1}
    assert near.crossed["1"].tolist() == [1, 1, 1]
    assert near.met == {"1": 1}
    far = local_complexity(part, torch.full((3,), 5.0), radius=0.1, directions=3, generator=generator)
    assert far.sampled == {"1": 0}
    assert far.crossed["1"].tolist() == [0, 0, 0]


def test_the_exact_count_of_an_axis_is_never_below_what_its_two_ends_show() -> None:
    module, shape = network("residual", seed=1)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    point = torch.randn(shape, dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    found = local_complexity(part, point, radius=1.0, directions=1, generator=generator)
    assert sum(found.sampled.values()) > 0
    assert all(found.crossed[name].sum() >= count for name, count in found.sampled.items())


def test_one_walk_along_each_axis_serves_all_radii() -> None:
    module, shape = network("convolutional", seed=0)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    point = torch.randn(shape, dtype=torch.float64)
    frame = random_frame(point.numel(), directions=3, generator=torch.Generator().manual_seed(0))
    together = local_complexities(part, point, radii=[0.1, 1.0, 0.4], frame=frame)
    for found, radius in zip(together, [0.1, 1.0, 0.4], strict=True):
        (alone,) = local_complexities(part, point, radii=[radius], frame=frame)
        assert found.sampled == alone.sampled
        for name, counts in alone.crossed.items():
            assert counts.tolist() == found.crossed[name].tolist()
            # A unit that differs between two corners crosses on the way from one of them to the point.
            assert found.sampled[name] <= found.met[name] == alone.met[name] <= counts.sum()
    with pytest.raises(UsageError, match="above zero"):
        local_complexities(part, point, radii=[0.0], frame=frame)


def test_the_effective_rank_counts_directions_that_matter() -> None:
    net = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU()).eval()
    net[0].weight.data = torch.diag(torch.tensor([2.0, 2.0, 5.0]))
    maps = local_maps(
        record(net, torch.zeros(1, 3)).part(), torch.tensor([[1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    )
    # Two equal singular values, then one alone.
    np.testing.assert_allclose(effective_ranks(maps.spectra()), [2.0, 1.0])


def test_where_a_network_is_smooth_crossings_are_sampled_and_said_to_be() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    net = net.double().eval()
    part = record(net, torch.zeros(1, 4, dtype=torch.float64)).part()
    start, end = 3 * torch.randn(2, 4, dtype=torch.float64)
    found = sampled_crossings(part, start, end, resolution=1e-3)
    assert not found.exact
    assert found.position.size
    sides = np.stack([found.position - 2e-3, found.position + 2e-3], axis=1).ravel()
    true = regimes(net, part, along(start, end, sides))
    for index, (layer, unit) in enumerate(zip(found.nonlinearity, found.unit, strict=True)):
        changed = true[layer][2 * index, unit], true[layer][2 * index + 1, unit]
        assert changed == (found.before[index], found.after[index])
    exact_first = (found.nonlinearity == 0).sum()
    ends = net[0](torch.stack([start, end])) > 0
    # The first layer's pre-activations are affine on the segment: each unit changes once or never.
    assert exact_first == int((ends[0] != ends[1]).sum())


def test_sampling_finds_what_is_exact_where_both_can_be_had() -> None:
    module, shape = network("dense", seed=1)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    start, end = 2 * torch.randn(2, *shape, dtype=torch.float64)
    exact, sampled = segment_crossings(part, start, end), sampled_crossings(part, start, end, points=2001)
    assert len(sampled.position) == len(exact.position)
    assert np.abs(np.sort(sampled.position) - exact.position).max() < 1e-4
    with pytest.raises(UsageError, match="at least 2"):
        sampled_crossings(part, start, end, points=1)
