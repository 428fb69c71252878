from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from tests.geometry.truth import along, regimes
from torch import nn
from torch.nn import functional

from polylens.errors import UsageError
from polylens.geometry import Crossings, Part, record, segment_crossings

Case = tuple[nn.Module, Part, torch.Tensor, torch.Tensor]


def case(name: str, seed: int) -> Case:
    module, shape = network(name, seed=seed)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    start, end = 2 * torch.randn(2, *shape, dtype=torch.float64)
    return module, part, start, end


class Sum(nn.Module):
    """What `function` makes of a linear map with these weights and biases."""

    def __init__(self, weights, biases, function=functional.relu) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.linear = nn.Linear(len(weights[0]), len(weights)).double()
        self.linear.weight.data = torch.tensor(weights, dtype=torch.float64)
        self.linear.bias.data = torch.tensor(biases, dtype=torch.float64)
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.linear(x))


def crossings(module: nn.Module, start: list[float], end: list[float]) -> Crossings:
    points = torch.tensor([start, end], dtype=torch.float64)
    return segment_crossings(record(module.eval(), points[:1]).part(), *points)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", range(2))
def test_codes_change_only_at_the_computed_crossings(name: str, seed: int) -> None:
    module, part, start, end = case(name, seed)
    found = segment_crossings(part, start, end)
    at = np.sort(np.random.default_rng(seed).random(400))
    at = at[np.abs(at[:, None] - found.breakpoints).min(axis=1) > 1e-9]
    cells = np.searchsorted(found.breakpoints, at) - 1
    for index, true in enumerate(regimes(module, part, along(start, end, at))):
        np.testing.assert_array_equal(found.codes(index)[cells], true)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", range(2))
def test_every_crossing_changes_the_code_and_the_map_of_each_cell_is_the_networks(
    name: str, seed: int
) -> None:
    module, part, start, end = case(name, seed)
    found = segment_crossings(part, start, end)
    codes = np.hstack([found.codes(index) for index in range(len(part.nonlinearities))])
    assert (codes[1:] != codes[:-1]).any(axis=1).all()
    assert (codes[1:] != codes[:-1]).sum() == len(found.position)
    assert (found.before != found.after).all()
    true = regimes(module, part, along(start, end, found.midpoints))
    np.testing.assert_array_equal(codes, np.hstack(true))
    offsets, slopes = found.affine()
    with torch.no_grad():
        outputs = module(along(start, end, found.midpoints)).numpy()
    # A slope of a cell of width w is known to within rounding / w, the output inside to within rounding.
    np.testing.assert_allclose(offsets + slopes * found.midpoints[:, None], outputs, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_small_batch_finds_the_same_crossings_and_stays_small(name: str) -> None:
    _, part, start, end = case(name, seed=1)
    whole, pieces = (segment_crossings(part, start, end, vertices=count) for count in (10_000, 12))
    assert pieces.largest_batch <= 12
    np.testing.assert_allclose(whole.position, pieces.position, rtol=0, atol=1e-12)
    for index in range(len(part.nonlinearities)):
        np.testing.assert_array_equal(whole.codes(index), pieces.codes(index))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_way_back_crosses_the_same_boundaries(name: str) -> None:
    _, part, start, end = case(name, seed=2)
    there, back = segment_crossings(part, start, end), segment_crossings(part, end, start)
    np.testing.assert_allclose(there.breakpoints, 1 - back.breakpoints[::-1], rtol=0, atol=1e-11)
    assert there.counts() == back.counts()


def test_a_segment_from_a_layer_is_one_of_the_rest_of_the_network() -> None:
    module, shape = network("residual", seed=3)
    tape = record(module, torch.zeros(1, *shape, dtype=torch.float64))
    start, end = torch.randn(2, 4, 4, 4, dtype=torch.float64)
    found = segment_crossings(tape.part("pool"), start, end)
    assert set(found.counts()) == {"network:leaky_relu", "network:hardtanh"}
    assert found.position.size
    through = segment_crossings(tape.part("input", "pool"), *torch.randn(2, *shape, dtype=torch.float64))
    assert set(through.counts()) == {"relu", "relu#2", "pool"}
    assert through.outputs.shape[1] == 4 * 4 * 4


def test_counted_by_hand_units_cross_where_their_lines_are_zero() -> None:
    # From 0 to 1: x - 1/4 rises at 1/4, 1 - 2x falls at 1/2, x + 1 stays above, -x - 1 below.
    found = crossings(Sum([[1.0], [-2.0], [1.0], [-1.0]], [-0.25, 1.0, 1.0, -1.0]), [0.0], [1.0])
    assert found.position.tolist() == [0.25, 0.5]
    assert found.unit.tolist() == [0, 1]
    assert found.before.tolist() == [0, 1]
    assert found.after.tolist() == [1, 0]
    assert found.codes(0).tolist() == [[0, 1, 1, 0], [1, 1, 1, 0], [1, 0, 1, 0]]


def test_counted_by_hand_a_second_layer_bends_where_the_first_does() -> None:
    # |2x - 1| - 1/2 from two ReLUs, then a ReLU: zero at 1/4 and 3/4; the first layer's kinks are at 1/2.
    first, second = Sum([[2.0], [-2.0]], [-1.0, 1.0]), Sum([[1.0, 1.0]], [-0.5])
    found = crossings(nn.Sequential(first, second), [0.0], [1.0])
    assert found.position.tolist() == [0.25, 0.5, 0.5, 0.75]
    assert found.nonlinearity.tolist() == [1, 0, 0, 1]
    assert found.affine()[1].ravel().tolist() == [-2.0, 0.0, 0.0, 2.0]


def test_units_that_cross_together_are_all_listed_at_one_breakpoint() -> None:
    found = crossings(Sum([[1.0], [2.0], [-3.0]], [-1 / 3, -2 / 3, 1.0]), [0.0], [1.0])
    assert len(found.position) == 3
    assert len(found.breakpoints) == 3


def test_a_unit_that_is_zero_everywhere_or_only_touches_zero_crosses_nothing() -> None:
    # The second layer's unit is -|x - 1/2|: zero at 1/2 and below everywhere else.
    tent = nn.Sequential(Sum([[1.0], [-1.0], [0.0]], [-0.5, 0.5, 0.0]), Sum([[-1.0, -1.0, 0.0]], [0.0]))
    found = crossings(tent, [0.0], [1.0])
    assert found.counts() == {"0:relu": 2, "1:relu": 0}
    assert found.start[0][2] == 0


def test_the_ends_of_a_segment_cross_nothing_and_the_first_code_is_that_of_the_first_cell() -> None:
    found = crossings(Sum([[1.0], [-1.0], [-1.0]], [0.0, 0.0, 1.0]), [0.0], [1.0])
    assert found.position.size == 0
    assert found.start[0].tolist() == [1, 0, 1]


def test_a_segment_without_length_has_one_cell() -> None:
    found = crossings(Sum([[1.0], [-1.0]], [0.5, -2.0]), [1.0], [1.0])
    assert found.breakpoints.tolist() == [0.0, 1.0]


def test_both_kinks_of_a_hardtanh_are_found_even_within_one_cell() -> None:
    found = crossings(Sum([[4.0]], [-2.0], functional.hardtanh), [0.0], [1.0])
    assert found.position.tolist() == [0.25, 0.75]
    assert found.before.tolist() == [0, 1]
    assert found.after.tolist() == [1, 2]


def test_the_winner_changes_at_each_corner_of_the_upper_envelope() -> None:
    # max(1 - 3x, 1/4, 2x - 1): corners at 1/4 and 5/8; 0 never wins.
    maximum = Sum([[-3.0], [0.0], [2.0], [0.0]], [1.0, 0.25, -1.0, 0.0], lambda x: x.amax(dim=1))
    found = crossings(maximum, [0.0], [1.0])
    assert found.position.tolist() == [0.25, 0.625]
    assert found.after.tolist() == [1, 2]


def test_equal_elements_of_a_window_are_won_by_the_first() -> None:
    # After the ReLU the window is (0, 0, 0) until 1/2; then (0, y, y): the second wins, never the third.
    pooled = Sum([[-1.0], [1.0], [1.0]], [-1.0, -0.5, -0.5], lambda x: functional.relu(x).amax(dim=1))
    found = crossings(pooled, [0.0], [1.0])
    assert found.position.tolist() == [0.5, 0.5, 0.5]
    assert found.start[1].tolist() == [0]
    assert found.after[found.nonlinearity == 1].tolist() == [1]


def test_without_biases_a_ray_crosses_nothing() -> None:
    module, shape = network("dense", seed=0)
    module = nn.Sequential(*list(module)[:3], nn.ReLU(), nn.Linear(12, 2).double()).eval()
    for part in module:
        if isinstance(part, nn.Linear):
            nn.init.zeros_(part.bias)
    point = torch.randn(shape, dtype=torch.float64)
    found = segment_crossings(record(module, point[None]).part(), point / 100, point * 100)
    assert found.position.size == 0


def test_what_cannot_be_exact_is_refused_with_its_reason() -> None:
    with pytest.raises(UsageError, match="gelu"):
        crossings(Sum([[1.0]], [0.0], functional.gelu), [0.0], [1.0])
    part = record(Sum([[1.0]], [0.0]).eval(), torch.zeros(1, 1, dtype=torch.float64)).part()
    with pytest.raises(UsageError, match="shape"):
        segment_crossings(part, torch.zeros(2), torch.zeros(2))
    with pytest.raises(UsageError, match="no segment"):
        segment_crossings(part, torch.zeros(1), torch.zeros(1), vertices=1)
