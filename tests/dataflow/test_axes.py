"""Which axes count positions and which channels, wherever the network has them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from polylens.dataflow import Changing, LayerShape, capture, gather, trace
from polylens.errors import UsageError


class Permuted(nn.Module):
    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, *self.order)


class Twice(nn.Module):
    """A module with a residual sum and a gate, channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(6), nn.Linear(6, 5), nn.Linear(5, 6)
        self.out = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rest = self.down(torch.relu(self.up(self.norm(x))))
        return self.out(x + torch.roll(rest, 1, dims=1))


NETWORKS = {
    "channels first": (nn.Sequential(nn.Conv2d(2, 6, 2), nn.ReLU(), nn.AvgPool2d(2)), {}),
    "channels last": (
        nn.Sequential(nn.Conv2d(2, 6, 2), Permuted(2, 3, 1), Twice(), nn.GELU()),
        {"1", "2", "3"},
    ),
    "there and back": (
        nn.Sequential(nn.Conv2d(2, 6, 2), Permuted(2, 3, 1), nn.LayerNorm(6), Permuted(3, 1, 2), nn.ReLU()),
        {"1", "2"},
    ),
    "a slope a channel": (nn.Sequential(nn.Conv2d(2, 6, 2), nn.PReLU(6), nn.ReLU()), {}),
    "one channel": (nn.Sequential(nn.Conv2d(2, 1, 2), Permuted(2, 3, 1), nn.ReLU()), {"1", "2"}),
}


IN_PLACE = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.Mish),
    *(nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Threshold),
)


def handed_over(
    network: nn.Module, images: torch.Tensor
) -> tuple[dict[str, LayerShape], dict[str, torch.Tensor]]:
    flow = trace(network.eval(), images)
    found: dict[str, torch.Tensor] = {}

    def take(name: object, tensor: torch.Tensor) -> None:
        found[str(name)] = tensor.clone()

    with torch.no_grad():
        capture(network, images, layers=flow.layers, nonlinearities=(), take=take, shapes=flow.layers)
    return dict(flow.layers), found


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_are_channels_at_one_place_whatever_the_order_of_axes(name: str) -> None:
    network, channels_last = NETWORKS[name]
    images = torch.randn(3, 2, 7, 5)
    shapes, found = handed_over(network, images)
    plain, tensor = {}, images
    for number, part in enumerate(network):
        tensor = plain[str(number)] = part(tensor)
    for layer, expected in plain.items():
        first = expected.movedim(-1, 1) if layer in channels_last else expected
        assert (shapes[layer].grid, shapes[layer].width) == (tuple(first.shape[2:]), first.shape[1])
        position = 1 * first.shape[3] + 1  # second row, second column
        row = gather(found[layer], shapes[layer], torch.tensor([position]), torch.tensor([2]))
        torch.testing.assert_close(row[0], first[2, :, 1, 1])


def test_signals_have_positions_where_a_convolution_runs_along() -> None:
    network = nn.Sequential(nn.ReLU(), nn.Conv1d(3, 7, 2), nn.ReLU())
    signals = torch.randn(2, 3, 9)
    shapes, found = handed_over(network, signals)
    assert [(shape.grid, shape.width) for shape in shapes.values()] == [
        *[((9,), 3)] * 2,
        *[((8,), 7)] * 3,
    ]
    row = gather(found["1"], shapes["1"], torch.tensor([4]), torch.tensor([1]))
    torch.testing.assert_close(row[0], network[:2](signals)[1, :, 4])


def test_sequences_without_a_convolution_keep_their_channels_last() -> None:
    shapes, _ = handed_over(nn.Sequential(nn.ReLU(), nn.Linear(6, 4)), torch.randn(2, 5, 6))
    assert [(shape.grid, shape.width) for shape in shapes.values()] == [
        ((5,), 6),
        ((5,), 6),
        ((5,), 4),
        ((5,), 4),
    ]


@pytest.mark.parametrize("in_place", [False, True], ids=["anew", "in place"])
@pytest.mark.parametrize("kind", IN_PLACE, ids=lambda kind: kind.__name__)
def test_an_elementwise_function_leaves_channels_where_they_are(
    kind: type[nn.Module], in_place: bool
) -> None:
    function = kind(*((0.1, 0.0) if kind is nn.Threshold else ()), inplace=in_place)
    assert channels_behind(function) == ((6, 4), 6)


def test_a_function_that_is_never_in_place_leaves_them_too() -> None:
    assert channels_behind(nn.LogSigmoid()) == channels_behind(nn.Softplus()) == ((6, 4), 6)


def channels_behind(function: nn.Module) -> tuple[tuple[int, ...], int]:
    network = nn.Sequential(nn.Conv2d(2, 6, 2), function, nn.Conv2d(6, 4, 1))
    shape = trace(network.eval(), torch.randn(1, 2, 7, 5)).layers["1"]
    return shape.grid, shape.width


class Mixed(nn.Module):
    """Gives products of positions with positions, which have no channels."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores(x @ x.transpose(1, 2)).sum(dim=1)


def test_a_layer_whose_channels_cannot_be_told_is_none_and_says_why() -> None:
    flow = trace(Mixed().eval(), torch.randn(1, 5, 6))
    with pytest.raises(UsageError, match=r"which of its axes \(5, 5\) counts channels cannot be told"):
        flow.resolve("scores")


def test_a_layer_in_another_order_is_not_changed() -> None:
    network = nn.Sequential(
        nn.Conv2d(2, 6, 2), Permuted(2, 3, 1), nn.LayerNorm(6), nn.Flatten(), nn.Linear(144, 2)
    )
    flow = trace(network.eval(), torch.zeros(1, 2, 7, 5))
    with pytest.raises(UsageError, match="its axes are in another order"):
        Changing(network, flow, "2")


class OfHeads(nn.Module):
    """Tokens behind heads, and a table of positions that no token has an influence on."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.places = nn.Embedding(9, 6), nn.Embedding(99, 6)
        self.heads, self.scores = nn.Identity(), nn.Identity()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids) + self.places(torch.arange(ids.shape[1])[None])
        heads = self.heads(x.unflatten(2, (2, 3)).transpose(1, 2))
        return (self.scores(heads @ heads.mT) @ heads).transpose(1, 2).flatten(2)


def test_tokens_are_found_behind_heads_and_shared_layers_are_every_examples() -> None:
    network = OfHeads()
    flow = trace(network.eval(), torch.zeros(1, 40, dtype=torch.int64))
    ids = torch.randint(9, (4, 17))
    found: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        capture(
            network,
            ids,
            layers=["heads", "places"],
            nonlinearities=(),
            take=lambda name, tensor: found.update({str(name): tensor.clone()}),
            shapes=flow.layers,
        )
        x = network.embed(ids) + network.places(torch.arange(17))
    torch.testing.assert_close(found["heads"], x)  # heads side by side
    torch.testing.assert_close(found["places"], network.places(torch.arange(17)).expand(4, 17, 6))
    with pytest.raises(UsageError, match="2 of its axes"):
        flow.resolve("scores")


class BiasedByATable(torch.nn.Module):
    """As Swin's second version: a small network of coordinates alone gives biases of positions."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 4, 1)
        self.table = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
        self.register_buffer("coordinates", torch.randn(1, 5, 5, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.convolution(x) + self.table(self.coordinates).permute(0, 3, 1, 2)).relu()


def test_of_what_no_input_reaches_no_axis_is_guessed() -> None:
    flow = trace(BiasedByATable().eval(), torch.zeros(1, 3, 5, 5))
    assert flow.layers["convolution"].grid == (5, 5)
    for layer in ("table", "table.0"):
        with pytest.raises(UsageError, match="cannot be told: nothing of the input reaches it"):
            flow.resolve(layer)
