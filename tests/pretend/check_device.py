"""What the pretend accelerator is: the processor's numbers, and CUDA's refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.pretend import device
from torch.utils._python_dispatch import TorchDispatchMode

pytestmark = pytest.mark.usefixtures("pretend")


def test_other_tests_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch.accelerator.is_available()
    monkeypatch.setattr(device, "is_present", False)
    assert not torch.accelerator.is_available()
    assert torch.accelerator.device_count() == 0
    with torch.random.fork_rng():
        pass


def test_a_network_gives_the_processors_numbers(pretend) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.ReLU(inplace=True),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 3),
    )
    x = torch.randn(2, 1, 8, 8)
    expected = module(x)
    found = module.to("pretend")(x.to("pretend"))
    assert found.device == device.DEVICE
    assert pretend["addmm"] == 1
    assert torch.equal(found.cpu(), expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(3, device="pretend"),
        lambda: torch.arange(3, device="pretend"),
        lambda: torch.tensor([1.0, 2.0, 0.0], device="pretend"),
        lambda: torch.eye(3, device="pretend")[0],
        lambda: torch.randperm(3, device="pretend"),
        lambda: torch.ones(3).to("pretend").new_zeros(3),
        lambda: torch.linspace(0, 1, 3, device="pretend"),
    ],
)
def test_new_tensors_are_made_on_it(make: Callable[[], torch.Tensor]) -> None:
    made = make()
    assert (made.device.type, made.shape) == ("pretend", (3,))


def test_mixing_is_refused() -> None:
    x = torch.ones(3).to("pretend")
    for mixed in (
        lambda: x + torch.ones(3),
        lambda: torch.ones(3)[x.long()],
        lambda: torch.cat([x, torch.ones(2)]),
        lambda: x.numpy(),
    ):
        with pytest.raises((RuntimeError, TypeError)):
            mixed()
    assert (x + torch.tensor(1.0)).cpu().tolist() == [2, 2, 2]
    assert x[torch.tensor([0, 1])].device.type == "pretend"


def test_writing_in_place() -> None:
    x = torch.arange(4.0).to("pretend")
    x[x > 1] = 7
    x[0] += 1
    x.copy_(x.clone())
    assert x.cpu().tolist() == [1, 1, 7, 7]


def test_a_view_shares_its_storage() -> None:
    x = torch.arange(6.0).to("pretend")
    view = x.view(2, 3)[1]
    view.zero_()
    assert x.cpu().tolist() == [0, 1, 2, 0, 0, 0]
    assert view.untyped_storage()._cdata == x.untyped_storage()._cdata != x.clone().untyped_storage()._cdata
    assert view.storage_offset() == 3


def test_gradients() -> None:
    x = torch.ones(3).to("pretend").requires_grad_()
    (gradient,) = torch.autograd.grad((x * x).sum(), x)
    assert gradient.cpu().tolist() == [2, 2, 2]


def test_moving_inside_of_a_dispatch_mode() -> None:
    x, seen = torch.arange(3.0).to("pretend"), []

    class Watching(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            seen.append(x.cpu().tolist())
            return function(*args, **(kwargs or {}))

    with Watching():
        x + 1
    assert seen[0] == [0, 1, 2]


def test_a_module_in_double_precision() -> None:
    module = torch.nn.Linear(2, 2).to("pretend").double()
    given = module(torch.zeros(1, 2, dtype=torch.float64, device="pretend"))
    assert given.dtype == torch.float64
