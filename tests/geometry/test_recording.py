from __future__ import annotations

import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from torch import nn
from torch.nn import functional

from polylens.errors import UsageError
from polylens.geometry import record


class Function(nn.Module):
    """A network that is one function."""

    def __init__(self, function) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.function = function
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.linear(x))


def recorded(function) -> object:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    return record(Function(function).eval(), torch.ones(1, 4)).part()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_tape_gives_what_the_network_gives_for_any_number_of_points(name: str) -> None:
    module, shape = network(name, seed=0)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    points = torch.randn(5, *shape, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(part.forward(points), module(points), rtol=0, atol=1e-13)


def test_a_single_precision_network_is_computed_in_double() -> None:
    module = network("residual", seed=0)[0].float()
    part = record(module, torch.zeros(1, 2, 7, 7)).part()
    points = torch.randn(2, 2, 7, 7, dtype=torch.float64)
    torch.testing.assert_close(part.forward(points), module.double()(points), rtol=0, atol=1e-12)


def test_a_part_starts_at_the_values_that_a_layer_held_before_they_were_overwritten() -> None:
    module, shape = network("residual", seed=0)
    tape = record(module, torch.zeros(1, *shape, dtype=torch.float64))
    # `norm` gives pre-activations, which the ReLU after it overwrites in place.
    part = tape.part("norm")
    assert [item.name for item in part.nonlinearities][:2] == ["relu", "relu#2"]
    points = torch.randn(2, *shape, dtype=torch.float64)
    held = module.norm(module.stem(points))
    torch.testing.assert_close(part.forward(held), module(points), rtol=0, atol=1e-13)


def test_a_layer_that_something_goes_round_is_refused() -> None:
    module, shape = network("residual", seed=0)
    tape = record(module, torch.zeros(1, *shape, dtype=torch.float64))
    with pytest.raises(UsageError, match="do not pass 'block'"):
        tape.part("block")
    with pytest.raises(UsageError, match="did you mean 'stem'"):
        tape.part("stemm")
    with pytest.raises(UsageError, match="not computed from"):
        tape.part("head", "stem")


def test_constants_that_are_made_for_each_example_are_made_for_each_point() -> None:
    part = recorded(lambda x: torch.cat([x, torch.ones(len(x), 2)], dim=1).reshape(x.shape[0], 3, 2) * 2)
    assert part.forward(torch.zeros(7, 4, dtype=torch.float64)).shape == (7, 3, 2)


def test_a_network_that_mixes_examples_is_refused() -> None:
    with pytest.raises(UsageError, match="mixes examples"):
        recorded(lambda x: functional.relu(x - x.mean(dim=0)))


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="training mode"):
        record(nn.Sequential(nn.Dropout(), nn.Linear(2, 2)), torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (functional.gelu, "gelu at 'network:gelu' is smooth"),
        (lambda x: x.softmax(dim=1), "softmax in the network itself"),
        (lambda x: x * x, "mul of two values"),
        (functional.hardshrink, "may jump"),
        (lambda x: x if torch.equal(x, x + 1) else -x, "equal in the network itself"),
        (lambda x: functional.layer_norm(x, (4,)), "layer_norm"),
    ],
)
def test_what_is_not_piecewise_linear_is_named(function, says: str) -> None:  # type: ignore[no-untyped-def]
    assert says in recorded(function).obstacles[0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: functional.relu(x.reshape(-1)).reshape(len(x), -1),
        lambda x: functional.relu(x.T).T,
        lambda x: x.reshape(-1, 2).amax(dim=1).reshape(len(x), -1),
        # Examples as channels of one image: the tape runs, but no window is known to be of one example.
        lambda x: functional.max_pool1d(x.reshape(1, -1, 4), 2).reshape(len(x), -1),
    ],
)
def test_examples_merged_with_another_axis_are_said_to_be_so(function) -> None:  # type: ignore[no-untyped-def]
    (obstacle,) = recorded(function).obstacles
    assert "first axis does not count the examples and nothing else" in obstacle
    assert "piecewise linear" not in obstacle
