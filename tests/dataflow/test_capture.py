from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from polylens.dataflow import Flow, Nonlinearity, capture, trace
from polylens.dataflow.capturing import _Catch
from polylens.errors import UsageError


class Network(nn.Module):
    """Every way a ReLU is met: a module, a function, in place, reused; a concatenation, a sum, two pools."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.left, self.right = nn.Conv2d(4, 3, 1), nn.Conv2d(4, 5, 3, padding=1)
        self.bend = nn.Hardtanh(-0.1, 0.3)
        self.residual = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * 2 * 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.relu(self.stem(x)))
        x = torch.cat([functional.relu(self.left(x), inplace=True), self.bend(self.right(x))], dim=1)
        x = self.relu(self.residual(x) + x)
        return self.head(functional.max_pool2d(x, 2).flatten(1))


def by_hand(network: Network, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same forward pass again, operation by operation, out of place."""
    seen = {"input": x, "stem": network.stem(x)}
    seen["relu"] = seen["stem"]
    after, indices = functional.max_pool2d(seen["stem"].clamp(min=0), 3, 2, 1, return_indices=True)
    seen["pool"] = indices
    seen["network:relu"] = network.left(after)
    seen["bend"] = network.right(after)
    joined = torch.cat([seen["network:relu"].clamp(min=0), seen["bend"].clamp(-0.1, 0.3)], dim=1)
    seen["relu#2"] = network.residual(joined) + joined
    seen["relu#2 given"] = seen["relu#2"].clamp(min=0)
    seen["output"] = network.head(functional.max_pool2d(seen["relu#2 given"], 2).flatten(1))
    return seen


@pytest.fixture
def network() -> Network:
    torch.manual_seed(1)
    return Network().eval().requires_grad_(False)


def caught(
    network: nn.Module, flow: Flow, x: torch.Tensor, *, layers: tuple[str, ...] = ()
) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        found[item if isinstance(item, str) else f"at {item.name}"] = tensor.clone()

    capture(network, x, layers=layers, nonlinearities=flow.nonlinearities, take=take)
    return found


def test_what_is_caught_is_what_a_forward_pass_by_hand_computes(network: Network) -> None:
    x = torch.randn(5, 1, 8, 8)
    flow = trace(network, x)
    found = caught(network, flow, x, layers=("input", "stem", "relu#2", "output"))
    expected = by_hand(network, x)
    for name in ("relu", "network:relu", "bend", "relu#2"):
        torch.testing.assert_close(found[f"at {name}"], expected[name], rtol=0, atol=0)
    for name in ("input", "stem", "output"):
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=0)
    torch.testing.assert_close(found["relu#2"], expected["relu#2 given"], rtol=0, atol=0)
    assert list(found) == [
        "input", "stem", "at relu", "at pool", "at network:relu", "at bend", "at relu#2", "relu#2",
        "at network:max_pool2d", "output",
    ]  # fmt: skip


@pytest.mark.parametrize("grad", ["no_grad", "inference_mode", "enable_grad"])
def test_every_gradient_mode_gives_the_same(network: Network, grad: str) -> None:
    x = torch.randn(2, 1, 8, 8)
    flow = trace(network, x)
    with torch.no_grad():
        expected = caught(network, flow, x, layers=("stem", "output"))
    with getattr(torch, grad)():
        found = caught(network, flow, x, layers=("stem", "output"))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_autocast_gives_the_same_sites_in_its_own_precision(network: Network) -> None:
    x = torch.randn(2, 1, 8, 8)
    flow = trace(network, x)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = caught(network, flow, x)
    assert found["at relu"].dtype == torch.bfloat16
    expected = by_hand(network, x)["relu"]
    torch.testing.assert_close(found["at relu"].float(), expected, rtol=0.02, atol=0.02)


def test_the_forward_pass_stops_after_the_last_wanted_tensor(network: Network) -> None:
    x = torch.randn(2, 1, 8, 8)
    flow = trace(network, x)
    ran: list[str] = []
    for name, module in network.named_children():
        module.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
    taken: list[str] = []
    relu = flow.nonlinearities[0]
    capture(
        network, x, layers=("input",), nonlinearities=(relu,), take=lambda item, _: taken.append(str(item))
    )
    assert ran == ["stem", "relu"]
    assert len(taken) == 2
    ran.clear()
    capture(network, x, layers=("input",), nonlinearities=(), take=lambda item, _: taken.append(str(item)))
    assert ran == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_or_an_interrupt_the_network_is_as_it_was(
    network: Network, error: type[BaseException]
) -> None:
    x = torch.randn(2, 1, 8, 8)
    flow = trace(network, x)

    def fail(item: object, tensor: torch.Tensor) -> None:
        raise error("stop")

    for layers, items in ((("stem",), ()), ((), flow.nonlinearities[1:2])):
        with pytest.raises(error, match="stop"):
            capture(network, x, layers=layers, nonlinearities=items, take=fail)
        assert all(
            not module._forward_hooks and not module._forward_pre_hooks for module in network.modules()
        )
    torch.testing.assert_close(network(x), by_hand(network, x)["output"], rtol=0, atol=0)


def test_a_network_that_catches_errors_does_not_catch_the_stop() -> None:
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.ran = nn.Linear(2, 2), 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            try:
                x = self.first(x)
            except Exception:  # as some networks do around a fast kernel
                x = 2 * x
            self.ran += 1
            return x

    network = Careful()
    capture(network, torch.zeros(1, 2), layers=("first",), nonlinearities=(), take=lambda *_: None)
    assert network.ran == 0


def test_operations_of_the_taker_are_not_counted_as_the_networks(network: Network) -> None:
    x = torch.randn(2, 1, 8, 8)
    flow = trace(network, x)
    expected = caught(network, flow, x, layers=("stem",))
    found: dict[str, torch.Tensor] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        functional.relu(functional.max_pool2d(tensor.float(), 1))
        found[item if isinstance(item, str) else f"at {item.name}"] = tensor.clone()

    capture(network, x, layers=("stem",), nonlinearities=flow.nonlinearities, take=take)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_step_that_a_batch_does_not_take_is_named() -> None:
    class Fickle(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.relu(x) if len(x) == 1 else x

    flow = trace(Fickle(), torch.zeros(1, 2))
    with pytest.raises(UsageError, match="did not come by 'network:relu'"):
        capture(
            Fickle(), torch.zeros(2, 2), layers=(), nonlinearities=flow.nonlinearities, take=lambda *_: None
        )


def test_examples_of_another_size_are_refused(network: Network) -> None:
    flow = trace(network, torch.zeros(1, 1, 8, 8))
    with pytest.raises(UsageError, match=r"'relu' has the shape \(4, 6, 6\) here"):
        caught(network, flow, torch.zeros(1, 1, 6, 6))


def test_wanting_nothing_runs_nothing() -> None:
    capture(nn.Identity(), torch.zeros(1), layers=(), nonlinearities=(), take=lambda *_: None)


WINDOWS_2D = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0), "dilation": (1, 2)},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True},
]


@pytest.mark.parametrize("window", WINDOWS_2D, ids=str)
def test_winners_of_sliding_windows_are_the_largest_of_each_unfolded_window(
    window: dict[str, object],
) -> None:
    x = torch.randn(2, 3, 8, 9)
    pool = nn.MaxPool2d(**window)  # type: ignore[arg-type]
    (item,) = (flow := trace(pool, x)).nonlinearities
    found = caught(pool, flow, x)[f"at {item.name}"]
    kh, kw = (pool.kernel_size,) * 2 if isinstance(pool.kernel_size, int) else pool.kernel_size
    assert item.window == kh * kw
    sh, sw = (pool.stride,) * 2 if isinstance(pool.stride, int) else pool.stride
    ph, pw = (pool.padding,) * 2 if isinstance(pool.padding, int) else pool.padding
    dh, dw = (pool.dilation,) * 2 if isinstance(pool.dilation, int) else pool.dilation
    expected = torch.empty_like(found)
    for (b, c, i, j), _ in np.ndenumerate(found.numpy()):
        values = []
        for p in range(kh):
            for q in range(kw):
                row, column = i * sh - ph + p * dh, j * sw - pw + q * dw
                inside = 0 <= row < x.shape[2] and 0 <= column < x.shape[3]
                values.append(float(x[b, c, row, column]) if inside else -np.inf)
        expected[b, c, i, j] = int(np.argmax(values))
    assert torch.equal(found, expected)


def test_winners_in_one_and_three_dimensions_agree_with_two() -> None:
    x = torch.randn(2, 3, 8)
    one, two = nn.MaxPool1d(3, stride=2, padding=1), nn.MaxPool2d((1, 3), stride=(1, 2), padding=(0, 1))
    found = caught(one, trace(one, x), x)["at network:max_pool2d"]
    flat = caught(two, trace(two, x[:, :, None]), x[:, :, None])["at network:max_pool2d"]
    assert torch.equal(found.reshape(flat.shape), flat)
    cube = torch.randn(2, 3, 1, 8, 9)
    three = nn.MaxPool3d((1, 2, 3))
    plane = nn.MaxPool2d((2, 3))
    deep = caught(three, trace(three, cube), cube)["at network:max_pool3d"]
    assert torch.equal(
        deep[:, :, 0], caught(plane, trace(plane, cube[:, :, 0]), cube[:, :, 0])["at network:max_pool2d"]
    )


def test_winners_of_adaptive_pools_are_counted_in_windows_that_differ_in_size() -> None:
    # 5 inputs to 3 outputs: windows 0-1, 1-3, 3-4, of which the longest has 3 places.
    pool = nn.AdaptiveMaxPool1d(3)
    x = torch.tensor([[[0.0, 9.0, 1.0, 2.0, 8.0]]])
    (item,) = (flow := trace(pool, x)).nonlinearities
    assert item.window == 3
    assert caught(pool, flow, x)[f"at {item.name}"].flatten().tolist() == [1, 0, 1]


@pytest.mark.parametrize("keepdim", [True, False])
def test_a_maximum_over_all_positions_is_one_window_a_channel(keepdim: bool) -> None:
    class Global(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.amax(dim=(2, 3), keepdim=keepdim)

    x = torch.randn(2, 3, 4, 5)
    (item,) = (flow := trace(Global(), x)).nonlinearities
    assert (item.role, item.window) == ("pool", 20)
    found = caught(Global(), flow, x)["at network:amax"]
    assert torch.equal(found.flatten(1), x.flatten(2).argmax(2))


class Bend(nn.Module):
    """A function of its own, and a layer that bends as well."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.inner(functional.relu(x)) - 0.5)


class Falling(nn.Module):
    """A part that gives up after a step of it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        functional.relu(x)
        raise RuntimeError("no way on from here")


class Trying(nn.Module):
    """A network that goes another way where a part of it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = Falling(), Bend(nn.Linear(3, 3)), Bend(nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        try:
            x = self.first(x)
        except RuntimeError:
            x = self.second(x)
        return self.third(x)


def nested() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 3), Bend(Bend(nn.Linear(3, 3))), nn.ReLU(), Bend(nn.Linear(3, 3)))


@pytest.mark.parametrize("make", [nested, Trying])
def test_each_nonlinearity_alone_and_with_each_other_is_what_it_is_among_all(
    make: Callable[[], nn.Module],
) -> None:
    torch.manual_seed(0)
    network, x = make().eval().requires_grad_(False), torch.randn(4, 3)
    flow = trace(network, x[:1])

    def tensors(*wanted: Nonlinearity) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = {}
        capture(
            network,
            x,
            layers=(),
            nonlinearities=wanted,
            take=lambda item, tensor: found.update({item.name: tensor.clone()}),  # type: ignore[union-attr]
        )
        assert torch._C._len_torch_dispatch_stack() == 0
        return found

    everything = tensors(*flow.nonlinearities)
    assert len(everything) == len(flow.nonlinearities) > 4
    for wanted in itertools.combinations(flow.nonlinearities, 2):
        for few in (wanted, wanted[:1]):
            found = tensors(*few)
            assert found.keys() == {item.name for item in few}
            for name, tensor in found.items():
                assert torch.equal(tensor, everything[name]), name


def test_operations_of_modules_without_anything_wanted_run_unseen(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def note(self: _Catch, *given: Any) -> Any:
        seen.append(self.stack[-1])
        return on_operation(self, *given)

    on_operation = _Catch.on_operation
    monkeypatch.setattr(_Catch, "on_operation", note)
    x = torch.randn(2, 1, 8, 8)
    flow = trace(network, x[:1])
    everything = caught(network, flow, x)
    assert set(seen) > {"", "stem", "relu", "bend"}
    for name, asked in (("bend", {"bend"}), ("relu#2", {"relu"})):
        seen.clear()
        (item,) = (item for item in flow.nonlinearities if item.name == name)
        found: dict[str, torch.Tensor] = {}
        capture(
            network,
            x,
            layers=(),
            nonlinearities=[item],
            take=lambda _, tensor, found=found: found.update(it=tensor.clone()),
        )
        assert set(seen) == asked
        assert torch.equal(found["it"], everything[f"at {name}"])
    seen.clear()
    capture(network, x, layers=["residual"], nonlinearities=(), take=lambda *_: None)
    assert not seen


@pytest.mark.parametrize("when", ["taken", "failing"])
def test_no_mode_stays_on_where_a_pass_ends_within_a_wanted_module(when: str) -> None:
    class Failing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            bent = functional.relu(x)
            if len(x) > 1:
                raise ValueError("too many")
            return functional.relu(bent - 1)

    network = nn.Sequential(nn.Linear(3, 3), Failing(), nn.ReLU()).requires_grad_(False)
    flow = trace(network, torch.randn(1, 3))
    first, second = (item for item in flow.nonlinearities if item.site.module == "1")
    wanted = [first] if when == "taken" else [second]
    with nullcontext() if when == "taken" else pytest.raises(ValueError, match="too many"):
        capture(network, torch.randn(2, 3), layers=(), nonlinearities=wanted, take=lambda *_: None)
    assert torch._C._len_torch_dispatch_stack() == 0
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
