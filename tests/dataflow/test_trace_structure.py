from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn
from torch.nn import functional

from polylens.dataflow import LayerShape, Nonlinearity, trace
from polylens.errors import UsageError


def names(items: Sequence[Nonlinearity]) -> list[str]:
    return [item.name for item in items]


class Dense(nn.Module):
    """linear 1 - ReLU - linear 2 - ReLU - linear 3, one ReLU module called twice, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.third(self.relu(self.second(self.relu(self.first(x)))))


class Branches(nn.Module):
    """Two convolutions of one input, each with a functional ReLU, put side by side; then a residual sum."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(2, 2, 1)
        self.block = nn.Sequential(nn.Conv2d(5, 5, 3, padding=1), nn.BatchNorm2d(5))
        self.join = nn.Identity()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        both = torch.cat(
            [functional.relu(self.wide(x), inplace=True), functional.relu(self.narrow(x))], dim=1
        )
        joined = self.join(both)
        added = joined + self.block(joined)
        pooled = self.pool(functional.relu_(added))
        return self.head(pooled.mean(dim=(2, 3)))


IMAGE = torch.zeros(1, 2, 6, 6)


def branches() -> Branches:
    torch.manual_seed(0)
    return Branches().eval()


def test_a_reused_activation_module_gives_a_numbered_name_to_its_second_call() -> None:
    flow = trace(Dense(), torch.zeros(3, 4))
    assert names(flow.nonlinearities) == ["relu", "relu#2"]
    assert list(flow.layers) == ["input", "first", "relu", "second", "relu#2", "third", "output"]


def test_layers_know_their_positions_and_channels() -> None:
    flow = trace(branches(), IMAGE)
    assert flow.layers["input"] == LayerShape(grid=(6, 6), width=2, channels_first=True)
    assert flow.layers["pool"] == LayerShape(grid=(3, 3), width=5, channels_first=True)
    assert flow.layers["output"] == LayerShape(grid=(), width=4, channels_first=False)
    tokens = trace(nn.Linear(3, 7), torch.zeros(1, 11, 3)).layers["output"]
    assert tokens == LayerShape(grid=(11,), width=7, channels_first=False)


def test_functional_nonlinearities_are_named_by_their_module_and_operation() -> None:
    flow = trace(branches(), IMAGE)
    assert names(flow.nonlinearities) == ["network:relu", "network:relu#2", "network:relu#3", "pool"]


def test_a_layer_fed_to_a_nonlinearity_owns_it_and_so_does_the_layer_it_gives() -> None:
    flow = trace(Dense(), torch.zeros(1, 4))
    assert names(flow.own("first")) == ["relu"]
    assert names(flow.own("relu")) == ["relu"]
    assert names(flow.own("second")) == ["relu#2"]
    assert flow.own("third") == ()
    assert flow.own("input") == ()


def test_a_concatenation_of_nonlinearities_owns_them_in_order() -> None:
    flow = trace(branches(), IMAGE)
    assert names(flow.own("join")) == ["network:relu", "network:relu#2"]


class Shuffled(nn.Module):
    """A ReLU's channels, given on in an order that `change` makes."""

    def __init__(self, change: str) -> None:
        super().__init__()
        self.change = change
        self.given = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(x * 2)
        changed = {
            "flatten": lambda: y.flatten(1),
            "tokens": lambda: y.flatten(2).transpose(1, 2),
            "clone": lambda: y.clone(memory_format=torch.channels_last),
            "slices": lambda: torch.cat([y[:, :1], y[:, 1:]], dim=1),
            "flip": lambda: y.flip(1),
            "half": lambda: y[:, :1],
            "twice": lambda: torch.cat([y, y], dim=1),
            "padded": lambda: functional.pad(y, (0, 0, 0, 0, 0, 1)),
            "shuffle": lambda: functional.channel_shuffle(y, 2),
            "buffer": lambda: torch.zeros(1, 4, 3, 3).copy_(y),
            "written": lambda: self.written(y),
        }[self.change]()
        return self.given(changed)

    @staticmethod
    def written(y: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(y)
        out[:, 2:] = y[:, 2:]
        out[:, :2] = y[:, :2]
        return out


@pytest.mark.parametrize("change", ["flatten", "tokens", "clone", "slices", "buffer", "written"])
def test_rearrangements_that_keep_every_channel_in_order_keep_the_units(change: str) -> None:
    flow = trace(Shuffled(change), torch.zeros(1, 4, 3, 3))
    assert names(flow.own("given")) == ["network:relu"]


@pytest.mark.parametrize("change", ["flip", "half", "twice", "padded", "shuffle"])
def test_other_rearrangements_are_not_the_units_in_order(change: str) -> None:
    flow = trace(Shuffled(change), torch.zeros(1, 4, 3, 3))
    assert flow.own("given") == ()


def test_next_stops_at_the_first_units_and_names_the_pools_on_the_way() -> None:
    network = nn.Sequential(nn.Conv2d(2, 2, 1), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(2, 2, 1), nn.ReLU())
    flow = trace(network, IMAGE)
    assert names(flow.next("0")) == ["1", "2"]
    assert names(flow.next("input")) == ["1", "2"]
    assert names(flow.next("2")) == ["4"]


def test_downstream_lies_between_the_layer_and_through_without_the_layers_own() -> None:
    flow = trace(Dense(), torch.zeros(1, 4))
    assert names(flow.downstream("input", "output")) == ["relu", "relu#2"]
    assert names(flow.downstream("input", "second")) == ["relu"]
    assert names(flow.downstream("relu", "output")) == ["relu#2"]
    assert names(flow.downstream("first", "output")) == ["relu#2"]
    assert names(flow.between("first", "output")) == ["relu", "relu#2"]


def test_through_must_come_after_the_layer() -> None:
    flow = trace(Dense(), torch.zeros(1, 4))
    with pytest.raises(UsageError, match="'first' does not come after 'second'"):
        flow.downstream("second", "first")
    with pytest.raises(UsageError, match="nothing is computed between 'third' and 'output'"):
        flow.downstream("third", "output")


def test_a_skip_past_a_layer_is_seen_and_a_skip_inside_is_none() -> None:
    flow = trace(branches(), IMAGE)
    # `block` is passed by the residual sum; `join` feeds both of its sides.
    assert flow.is_bypassed("block", "output")
    assert flow.is_bypassed("wide", "output")
    assert not flow.is_bypassed("join", "output")
    assert not flow.is_bypassed("input", "output")


def test_a_layer_that_holds_half_of_a_tensor_counts_as_bypassed() -> None:
    class Split(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kept = nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a, b = (2 * x).chunk(2, dim=1)
            return functional.relu(self.kept(a) + b)

    assert trace(Split(), torch.zeros(1, 4)).is_bypassed("kept", "output")


def test_a_dense_block_does_not_count_the_inside_of_its_concatenation_as_downstream() -> None:
    class DenseBlock(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.grow, self.out, self.whole = nn.Linear(3, 2), nn.Linear(5, 2), nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = 2 * x
            whole = self.whole(torch.cat([first, self.grow(functional.relu(first))], dim=1))
            return self.out(functional.gelu(whole))

    flow = trace(DenseBlock(), torch.zeros(1, 3))
    assert [item.operation for item in flow.between("whole", "output")] == ["gelu"]
    assert not flow.is_bypassed("whole", "output")


class Calls(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x * self.scale, x + self.scale)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x, y: x * y, "mul of two values that both depend on the input"),
        (lambda x, y: x / (y + 3), "div by a value that depends on the input"),
        (lambda x, y: x.softmax(1), "softmax"),
        (lambda x, y: functional.layer_norm(x, (4,)), "layer_norm"),
        (lambda x, y: functional.glu(x), "glu"),
        (lambda x, y: x @ y.T, "mm of two values that both depend on the input"),
        (lambda x, y: x.exp(), "exp"),
        (lambda x, y: functional.dropout(x, 0.5, training=True), "mul of two values"),
        (lambda x, y: x.clamp(min=y), "clamp at bounds that are not fixed numbers"),
        (lambda x, y: x if float(x.sum()) > 0 else y, "local_scalar_dense"),
        (lambda x, y: x.round(), "round"),
        (lambda x, y: x.to(torch.int64).float(), "to_copy"),
        (lambda x, y: x.gather(1, y.argmax(1, keepdim=True)), "gather"),
    ],
)
def test_what_is_not_piecewise_linear_is_reported_by_name(function: object, what: str) -> None:
    found = trace(Calls(function), torch.zeros(1, 4)).obstacles("input", "output")
    assert any(what in sentence for sentence in found), found
    assert all("is not piecewise linear" in sentence for sentence in found)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x + 2 * y - x.mean(),
        lambda x, y: x / 3 + torch.nn.functional.dropout(y, 0.5, training=False),
        lambda x, y: torch.einsum("bi,ij->bj", x, torch.eye(4)),
        lambda x, y: torch.where(torch.tensor([True, False, True, False]), x, y),
        lambda x, y: x.masked_fill(torch.tensor([True, False, True, False]), 7.0),
        lambda x, y: torch.stack([x, y]).sum(0).cumsum(1),
        lambda x, y: functional.interpolate(x[:, None], scale_factor=2, mode="linear").flatten(1),
        lambda x, y: functional.pad(x, (1, 1), value=2.0),
        lambda x, y: x[:, torch.tensor([3, 0])],
        lambda x, y: x.to(torch.float64).float(),
    ],
)
def test_linear_operations_are_no_obstacle(function: object) -> None:
    flow = trace(Calls(function), torch.zeros(1, 4))
    assert flow.obstacles("input", "output") == ()
    assert flow.nonlinearities == ()


def test_an_obstacle_is_only_between_what_it_is_between() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Softmax(1), nn.Linear(3, 3), nn.ReLU())
    flow = trace(network, torch.zeros(1, 3))
    assert flow.obstacles("0", "output") == ("softmax in '1' is not piecewise linear",)
    assert flow.obstacles("1", "output") == ()
    assert flow.obstacles("input", "0") == ()


def test_batch_norm_is_affine_in_eval_mode_and_an_obstacle_in_training_mode() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.ReLU())
    assert trace(network.eval(), IMAGE).obstacles("input", "output") == ()
    found = trace(network.train(), IMAGE).obstacles("input", "output")
    assert found == ("batch_norm in training mode in '1' is not piecewise linear",)


def test_tracing_leaves_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.ReLU()).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trace(network, torch.ones(1, 2, 6, 6))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("module", "kinks", "piecewise_linear"),
    [
        (nn.ReLU(), (0.0,), True),
        (nn.LeakyReLU(0.1, inplace=True), (0.0,), True),
        (nn.PReLU(), (0.0,), True),
        (nn.RReLU().eval(), (0.0,), True),
        (nn.ReLU6(), (0.0, 6.0), True),
        (nn.Hardtanh(-2.0, 0.5), (-2.0, 0.5), True),
        (nn.Threshold(0.25, 0.0), (0.25,), True),
        (nn.Hardshrink(0.5), (-0.5, 0.5), True),
        (nn.Softshrink(0.5), (-0.5, 0.5), True),
        (nn.Hardsigmoid(), (-3.0, 3.0), True),
        *[
            (module, (0.0,), False)
            for module in (
                nn.GELU(),
                nn.GELU(approximate="tanh"),
                nn.SiLU(),
                nn.Sigmoid(),
                nn.Tanh(),
                nn.ELU(),
                nn.SELU(),
                nn.CELU(),
                nn.Softplus(),
                nn.Mish(),
                nn.Hardswish(),
                nn.LogSigmoid(),
            )
        ],
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_activation_modules_have_their_kinks(
    module: nn.Module, kinks: tuple[float, ...], piecewise_linear: bool
) -> None:
    (found,) = trace(nn.Sequential(nn.Linear(3, 4), module), torch.zeros(1, 3)).nonlinearities
    assert (found.name, found.kinks, found.piecewise_linear) == ("1", kinks, piecewise_linear)


@pytest.mark.parametrize(
    ("function", "kinks"),
    [
        (lambda x, y: x.clamp(min=-1.0), (-1.0,)),
        (lambda x, y: x.clamp(max=2.0), (2.0,)),
        (lambda x, y: x.clamp_(-1, 1), (-1.0, 1.0)),
        (lambda x, y: torch.maximum(x, torch.ones(4)), (0.0,)),
        (lambda x, y: torch.minimum(x, y), (0.0,)),
        (lambda x, y: x.abs(), (0.0,)),
    ],
)
def test_functional_units_have_their_kinks(function: object, kinks: tuple[float, ...]) -> None:
    flow = trace(Calls(function), torch.zeros(1, 4))
    assert [item.kinks for item in flow.nonlinearities] == [kinks]
    assert flow.obstacles("input", "output") == ()


def test_names_are_resolved_through_aliases_and_misspelt_ones_get_the_nearest() -> None:
    flow = trace(Dense(), torch.zeros(1, 4), aliases={"hidden": "relu"})
    assert flow.resolve("hidden") == "relu"
    assert flow.resolve("second") == "second"
    assert flow.resolve("last", {"last": "third"}) == "third"
    with pytest.raises(UsageError, match=r"no layer 'secnod'.*\n.*did you mean 'second'"):
        flow.resolve("secnod")


def test_a_module_without_a_tensor_of_examples_is_no_layer_and_says_why() -> None:
    class Weights(nn.Module):
        def forward(self, n: int) -> torch.Tensor:
            return torch.ones(n)

    class Uses(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = Weights()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.weights(4)

    flow = trace(Uses(), torch.zeros(1, 4))
    with pytest.raises(UsageError, match="first axis of its output does not count examples"):
        flow.resolve("weights")


def test_complex_numbers_are_no_layer_and_may_stand_before_one() -> None:
    class Spectrum(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft(x)

    class Sizes(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.abs()

    flow = trace(nn.Sequential(Spectrum(), Sizes()), torch.zeros(1, 4))
    assert flow.layers["1"].width == 4
    with pytest.raises(UsageError, match="complex numbers"):
        flow.resolve("0")
    flow = trace(nn.Sequential(nn.Linear(4, 3), Spectrum()), torch.zeros(1, 4))
    assert flow.layers["0"].width == 3
    assert "complex numbers" in flow.unusable["output"]


def test_sparse_tensors_are_refused_by_their_name() -> None:
    class Spread(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sparse.mm(torch.eye(4).to_sparse(), x.T).T

    with pytest.raises(UsageError, match="a sparse tensor of 4 x 4 numbers"):
        trace(nn.Sequential(Spread()), torch.zeros(1, 4))


def test_a_layer_that_gives_a_tuple_stands_for_its_first_tensor() -> None:
    class Pair(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[None, torch.Tensor, torch.Tensor]:
            return None, x[:, :2] * 2, x

    flow = trace(nn.Sequential(Pair()), torch.zeros(1, 4))
    assert flow.layers["0"].width == 2
