from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import network
from torch import nn

from polylens.errors import UsageError
from polylens.geometry import Part, great_circle, path_crossings, record, segment_crossings


def case(name: str, *, seed: int = 0) -> tuple[nn.Module, Part, torch.Tensor]:
    module, shape = network(name, seed=seed)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    return module, part, 2 * torch.randn(6, *shape, dtype=torch.float64)


def test_straight_paths_meet_what_their_segments_do() -> None:
    _, part, points = case("residual")
    paths = [points[index : index + 2] for index in range(5)]
    for (start, end), path in zip(paths, path_crossings(part, paths), strict=True):
        alone = segment_crossings(part, start, end)
        np.testing.assert_allclose(path.position, alone.position, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(path.nonlinearity, alone.nonlinearity)
        assert path.length == pytest.approx(float((end - start).norm()))
        assert path.exact
        first = np.concatenate([alone.codes(index)[0] for index in range(len(part.nonlinearities))])
        last = np.concatenate([alone.codes(index)[-1] for index in range(len(part.nonlinearities))])
        assert path.differing.sum() == (first != last).sum()


def test_a_chain_of_chords_along_a_line_is_that_line() -> None:
    _, part, points = case("dense", seed=2)
    at = torch.tensor([0.0, 0.3, 0.31, 1.0], dtype=torch.float64)[:, None]
    whole, chain = path_crossings(part, [points[:2], points[0] + at * (points[1] - points[0])])
    np.testing.assert_allclose(chain.position, whole.position, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(chain.nonlinearity, whole.nonlinearity)
    np.testing.assert_array_equal(chain.differing, whole.differing)
    np.testing.assert_allclose(chain.switches, whole.switches, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["dense", "residual"])
def test_between_two_switches_one_output_is_the_largest(name: str) -> None:
    module, part, points = case(name, seed=4)
    n_switches = 0
    pairs = points.reshape(3, 2, *points.shape[1:])
    for (start, end), path in zip(pairs, path_crossings(part, pairs), strict=True):
        ends = np.concatenate([[0.0], path.switches, [1.0]])
        at = (ends[:-1, None] + np.diff(ends)[:, None] * np.linspace(0.001, 0.999, 41)).ravel()
        share = torch.from_numpy(at).reshape(-1, *[1] * start.dim())
        winners = module(start + (end - start) * share).argmax(dim=1).reshape(-1, 41)
        assert (winners == winners[:, :1]).all()
        assert (winners[1:, 0] != winners[:-1, 0]).all()
        n_switches += len(path.switches)
    assert n_switches


def test_a_great_circle_keeps_norms_between_those_of_its_ends_and_steps_by_equal_angles() -> None:
    start, end = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    corners = great_circle(start, 3 * end, chords=8)
    assert corners is not None
    flat = corners.flatten(1)
    np.testing.assert_allclose(
        torch.diff(flat.norm(dim=1)), np.full(8, float((3 * end).norm() - start.norm()) / 8)
    )
    directions = flat / flat.norm(dim=1, keepdim=True)
    cosines = (directions[1:] * directions[:-1]).sum(dim=1)
    np.testing.assert_allclose(cosines, float(cosines[0]))
    assert torch.equal(corners[0], start)
    assert torch.equal(corners[-1], 3 * end)


def test_points_on_one_ray_go_straight_and_what_has_no_great_circle_is_none() -> None:
    point = torch.tensor([1.0, -2.0])
    straight = great_circle(point, 4 * point, chords=3)
    assert straight is not None
    np.testing.assert_allclose(straight, torch.stack([point * (1 + k) for k in range(4)]))
    assert great_circle(point, -point, chords=3) is None
    assert great_circle(torch.zeros(2), point, chords=3) is None


def test_smooth_networks_are_sampled_and_said_to_be() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3)).double().eval()
    part = record(net, torch.zeros(1, 4, dtype=torch.float64)).part()
    points = 3 * torch.randn(2, 4, dtype=torch.float64)
    (path,) = path_crossings(part, [points])
    assert not path.exact
    signs = net[0](points) > 0
    # Before the first unit all is affine: each unit crosses once if its ends differ.
    assert len(path.position) == path.differing[0] == int((signs[0] != signs[1]).sum())
    for switch in path.switches:
        sides = points[0] + (points[1] - points[0]) * torch.tensor([[switch - 1e-3], [switch + 1e-3]])
        assert net(sides).argmax(dim=1).unique().numel() == 2


def test_a_path_without_length_and_outputs_that_were_not_kept_are_refused() -> None:
    _, part, points = case("dense")
    with pytest.raises(UsageError, match="two corners"):
        list(path_crossings(part, [points[:1]]))
    with pytest.raises(UsageError, match="length"):
        list(path_crossings(part, [points[[0, 0]]]))
    with pytest.raises(UsageError, match="not kept"):
        segment_crossings(part, *points[:2], keep_outputs=False).switches()
