from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from tests.geometry.truth import along, regimes
from torch import nn

from polylens.errors import UsageError
from polylens.geometry import Crossings, Part, record, segment_crossings, segments, segments_crossings


def case(name: str, seed: int, count: int) -> tuple[nn.Module, Part, torch.Tensor, torch.Tensor]:
    module, shape = network(name, seed=seed)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    starts, ends = 2 * torch.randn(2, count, *shape, dtype=torch.float64)
    return module, part, starts, ends


def assert_the_same(one: Crossings, other: Crossings) -> None:
    np.testing.assert_allclose(one.position, other.position, rtol=0, atol=1e-12)
    for field in ("nonlinearity", "unit", "before", "after"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    for mine, theirs in zip(one.start, other.start, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("vertices", [4096, 40])
def test_many_segments_at_once_are_as_one_by_one(name: str, vertices: int) -> None:
    _, part, starts, ends = case(name, seed=0, count=9)
    together = list(segments_crossings(part, starts, ends, vertices=vertices, keep_outputs=True))
    assert len(together) == 9
    for start, end, found in zip(starts, ends, together, strict=True):
        alone = segment_crossings(part, start, end)
        assert_the_same(found, alone)
        assert found.largest_batch <= vertices
        np.testing.assert_allclose(found.vertices, alone.vertices, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.outputs, alone.outputs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("vertices", [4096, 40])
def test_crossings_are_the_same_where_no_outputs_are_kept(name: str, vertices: int) -> None:
    # Then nothing is computed behind the last nonlinearity, and no stretch is cut there.
    _, part, starts, ends = case(name, seed=7, count=6)
    kept = segments_crossings(part, starts, ends, vertices=vertices, keep_outputs=True)
    for with_outputs, without in zip(
        kept, segments_crossings(part, starts, ends, vertices=vertices), strict=True
    ):
        assert_the_same(without, with_outputs)
        np.testing.assert_allclose(without.vertices, with_outputs.vertices, rtol=0, atol=1e-12)
        assert without.outputs.shape == (len(without.vertices), 0)
        with pytest.raises(UsageError, match="the outputs were not kept"):
            without.switches()


@pytest.mark.parametrize("name", NETWORKS)
def test_dense_sampling_of_each_segment_finds_no_other_code(name: str) -> None:
    module, part, starts, ends = case(name, seed=3, count=4)
    for start, end, found in zip(starts, ends, segments_crossings(part, starts, ends), strict=True):
        at = np.linspace(0, 1, 203)[1:-1]
        at = at[np.abs(at[:, None] - found.breakpoints).min(axis=1) > 1e-9]
        cells = np.searchsorted(found.breakpoints, at) - 1
        for index, true in enumerate(regimes(module, part, along(start, end, at))):
            np.testing.assert_array_equal(found.codes(index)[cells], true)


def test_segments_are_told_apart_though_one_ends_where_the_next_begins() -> None:
    # A chain of chords: 0 to 1, 1 to -1, -1 to -1 (no length), -1 to 1. The unit's kink is at 1/4.
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU()).double().eval()
    net[0].weight.data.fill_(1.0), net[0].bias.data.fill_(-0.25)
    corners = torch.tensor([[0.0], [1.0], [-1.0], [-1.0], [1.0]])
    part = record(net, torch.zeros(1, 1, dtype=torch.float64)).part()
    for vertices in (2, 3, 4096):
        found = list(segments_crossings(part, corners[:-1], corners[1:], vertices=vertices))
        assert [one.position.tolist() for one in found] == [[0.25], [0.375], [], [0.625]]
        assert [one.start[0].tolist() for one in found] == [[0], [1], [0], [0]]


def test_a_segment_far_longer_than_the_others_changes_none_of_them() -> None:
    _, part, starts, ends = case("residual", seed=5, count=5)
    alone = list(segments_crossings(part, starts, ends))
    starts[2], ends[2] = 50 * starts[2], 50 * ends[2]
    for index, found in enumerate(segments_crossings(part, starts, ends, vertices=96)):
        if index != 2:
            assert_the_same(found, alone[index])


def test_of_wide_tensors_fewer_rows_are_taken_with_the_same_crossings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, part, starts, ends = case(next(iter(NETWORKS)), seed=1, count=6)
    every = list(segments_crossings(part, starts, ends))
    widest = max(int(np.prod(shape)) for shape in (part.shape, *part.shapes.values()))
    monkeypatch.setattr(segments, "_MOST_NUMBERS", 20 * widest + 1)
    for found, expected in zip(segments_crossings(part, starts, ends), every, strict=True):
        assert found.largest_batch <= 20 < expected.largest_batch
        assert_the_same(found, expected)


def test_no_segments_give_nothing_and_ends_must_fit_starts() -> None:
    _, part, starts, ends = case("dense", seed=0, count=2)
    assert not list(segments_crossings(part, starts[:0], ends[:0]))
    with pytest.raises(UsageError, match="2 starts of segments do not fit 1 ends"):
        list(segments_crossings(part, starts, ends[:1]))
