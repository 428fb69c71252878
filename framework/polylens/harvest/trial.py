"""Passing a few inputs through a copy of a network, and comparing what comes of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from polylens.dataflow import LayerShape, Nonlinearity, capture
from polylens.devices import is_out_of_memory
from polylens.errors import PolylensError, UsageError
from polylens.harvest.suspects import hint_of
from polylens.harvest.trial_inputs import batch_of
from polylens.modules import copy_module, plain_attributes, with_seed

Values = Mapping[str, torch.Tensor]
"""One example's values, by layer or nonlinearity."""

_ROUNDINGS = 1024
"""Roundings of its type, as a share of a tensor's largest number, that values in another batch may be off by:
kernels for other sizes add up in another order, in each layer a little. For float32 1.2e-4."""
_AGAIN = 16
"""Roundings that the very same pass may be off by; on a CPU it is off by none."""
_LARGEST_SHARE = 0.05
"""The share of the largest number that is allowed at most, for types of 16 bits."""
_ENLARGED = 16
"""Where a network enlarges rounding beyond that, as deep untrained ones do: how many times as much is allowed
as changes when every weight is changed by one rounding."""
_TURNED = 0.02
"""Share of whole numbers (winners of pools) that rounding may turn."""


class Trial:
    """A network that is tried, and what is looked at.

    Args:
        module: in eval mode; a copy of it is used.
        layers: whose values are looked at.
        nonlinearities: whose pre-activations, or winners, are looked at.
        shapes: how layers fall into positions and channels, where that is known.
        filling: the token that fills shorter texts up.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        layers: tuple[str, ...],
        nonlinearities: tuple[Nonlinearity, ...],
        shapes: Mapping[str, LayerShape],
        *,
        filling: int,
    ) -> None:
        self._given = module
        self._filling = filling
        self.module = copy_module(module).eval()
        self._wanted: dict[str, Any] = {
            "layers": layers,
            "nonlinearities": nonlinearities,
            "shapes": shapes,
        }
        first = next(module.parameters(), None)
        self._device = torch.device("cpu") if first is None else first.device

    def values(
        self,
        inputs: list[torch.Tensor],
        *,
        index: int = 0,
        seed: int = 0,
        module: torch.nn.Module | None = None,
    ) -> Values:
        """What the network makes of one input of a batch; all else as in `passed`."""
        return self.passed(inputs, indices=[index], seed=seed, module=module)[0]

    def passed(
        self,
        inputs: list[torch.Tensor],
        *,
        indices: Sequence[int],
        seed: int = 0,
        module: torch.nn.Module | None = None,
    ) -> tuple[Values, ...]:
        """What the network makes of some inputs of a batch, in one pass.

        Args:
            inputs: batches of one, which are passed as one batch.
            indices: which of the inputs they are whose values are wanted.
            seed: the seed of all global random streams while the network runs.
            module: another network than the one that is tried.

        Raises:
            UsageError: the network fails on this batch.
            RuntimeError: there is not enough memory for it.
        """
        values_by_name: tuple[dict[str, torch.Tensor], ...] = tuple({} for _ in indices)
        is_text = inputs[0].dtype == torch.int64

        def take(source: str | Nonlinearity, tensor: torch.Tensor) -> None:
            for index, kept in zip(indices, values_by_name, strict=True):
                values = tensor.detach()[index]
                if is_text and values.dim() > 1 and len(values) == batch.shape[1]:
                    values = values[: inputs[index].shape[1]]  # the rest is made of padding
                kept[source if isinstance(source, str) else source.name] = values.clone()

        batch = batch_of(inputs, filling=self._filling).to(self._device)
        try:
            with with_seed(seed):
                capture(module or self.module, batch, take=take, **self._wanted)
        except PolylensError:
            raise
        except Exception as error:  # whatever the network's own code raises
            if is_out_of_memory(error):
                raise
            said = str(error).strip().splitlines() or [type(error).__name__]
            how_many = "one example alone" if len(inputs) == 1 else f"{len(inputs)} examples at once"
            raise UsageError(
                f"the network cannot compute on {how_many}: {said[0]}",
                hint=hint_of(self.module) or "it must take batches of any number of examples",
            ) from error
        return values_by_name

    def differs_again(self, one: Values, other: Values) -> str | None:
        """The first name whose values differ between two passes of one input; None where none do."""
        if self._device.type != "cpu":  # sums there may be taken in another order each time
            return first_difference(one, other, self.bounds(one))
        return first_difference(one, other, {name: _share(values, _AGAIN) for name, values in one.items()})

    def differs(self, one: Values, other: Values, inputs: torch.Tensor) -> str | None:
        """The first name whose values for an input differ between two batches, beyond rounding; or None."""
        bounds = self.bounds(one)
        if first_difference(one, other, bounds) is None:
            return None
        plain = self.values([inputs])
        shaken = self.values([inputs], module=self._perturbed_network())
        enlarged = {
            name: max(bounds[name], _ENLARGED * _largest((values.double() - shaken[name].double()).abs()))
            for name, values in plain.items()
        }
        return first_difference(one, other, enlarged)

    def bounds(self, values: Values) -> Mapping[str, float]:
        """How far values in another batch may be off by rounding."""
        return {name: _share(each, _ROUNDINGS) for name, each in values.items()}

    def start_anew(self) -> None:
        """Forgets all passes."""
        self.module = copy_module(self._given).eval()

    def changed_state(self, inputs: torch.Tensor) -> str:
        """Says which buffers, parameters and plain attributes one pass changes; empty where none."""
        self.start_anew()
        before = _state(self.module)
        self.values([inputs])
        after = _state(self.module)
        changed = [name for name, value in after.items() if not _same(before.get(name), value)]
        return f" (a pass changes {', '.join(changed[:4])})" if changed else ""

    def _perturbed_network(self) -> torch.nn.Module:
        """The network with every weight off by one rounding."""
        made = copy_module(self._given).eval()
        with torch.no_grad(), with_seed(0):
            for parameter in made.parameters():
                if parameter.is_floating_point():
                    signs = torch.randint(0, 2, parameter.shape, device=parameter.device) * 2 - 1
                    parameter.mul_(1 + signs * torch.finfo(parameter.dtype).eps)
        return made


def first_difference(one: Values, other: Values, bounds: Mapping[str, float]) -> str | None:
    """The first name whose values are further apart than its bound; None where none are."""
    for name, values in one.items():
        second = other[name]
        if values.shape != second.shape:
            return name
        if not values.is_floating_point():
            if (values != second).double().mean().item() > _TURNED:
                return name
            continue
        same = (values == second) | (values.isnan() & second.isnan())
        apart = (values.double() - second.double()).abs().masked_fill(same, 0)
        if bool(apart.isnan().any()) or _largest(apart) > bounds[name]:
            return name
    return None


def _share(values: torch.Tensor, roundings: int) -> float:
    if not values.is_floating_point():
        return 0.0
    share = min(roundings * torch.finfo(values.dtype).eps, _LARGEST_SHARE)
    return share * _largest(values.double().abs().nan_to_num(posinf=0.0))


def _largest(values: torch.Tensor) -> float:
    return float(values.max()) if values.numel() else 0.0


def _state(module: torch.nn.Module) -> dict[str, Any]:
    tensors: dict[str, Any] = {name: value.detach().clone() for name, value in module.named_parameters()}
    tensors |= {name: value.detach().clone() for name, value in module.named_buffers()}
    for path, part in module.named_modules():
        for name, value in plain_attributes(part).items():
            kept = value.detach().clone() if isinstance(value, torch.Tensor) else repr(value)
            tensors[f"{path}.{name}" if path else name] = kept
    return tensors


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return type(one) is type(other) and not isinstance(one, torch.Tensor) and bool(one == other)
