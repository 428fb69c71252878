"""Two passes of a network on different numbers of examples, merged to the tape that they agree on.

1. Both passes must call the same operations. An integer that differs must be a multiple of the number of
   examples, a constant that differs one example's share repeated.
2. Of each tensor that is read later, the axis that counts examples is told by its extent, and proven by the
   values of the two examples that both passes have.
3. Each pair of calls becomes a step of the tape: tensors are numbers of values, integers that grow are
   multiples, floating-point constants are in double precision.

Invariant: what cannot be told for one example alone is refused.

Cost: one look at each argument, and one comparison of each tensor that is read later.
Source: decision 0008.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from polylens.dataflow import Nonlinearity
from polylens.dataflow import operations as aten
from polylens.errors import UsageError
from polylens.geometry.tape import Constant, Layout, PerExample, Reference, Tape, TapeStep

FEW, MORE = 2, 3
"""Examples of the two passes. Numbers without a common divisor, so that every product shows its factor."""

MERGED = "whose first axis does not count the examples and nothing else: its units cannot be told by example"
"""What is said of a tensor that cannot be taken apart by example."""


@dataclass(eq=False)
class Call:
    """One operation on what depends on the input, as a pass called it."""

    function: torch._ops.OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: list[torch.Tensor]
    nonlinearity: Nonlinearity | None
    """What it is where its regimes can be told."""
    obstacle: str
    """Why it is not piecewise linear, in one sentence; empty where it is."""


@dataclass(eq=False)
class Pass:
    """One forward pass: tensors that depend on the input have numbers, in the order they appeared."""

    calls: list[Call] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)
    """The number of each layer's tensor."""
    values: list[torch.Tensor] = field(default_factory=list)
    """Kept alive, so that no other tensor is taken for one of them."""
    numbers: dict[int, int] = field(default_factory=dict)
    """By a tensor's `id`."""

    def number(self, tensor: torch.Tensor) -> int | None:
        """The tensor's number; None where it does not depend on the input."""
        return self.numbers.get(id(tensor))

    def add(self, tensor: torch.Tensor) -> None:
        """Gives a tensor the next number, unless it has one."""
        if id(tensor) not in self.numbers:
            self.numbers[id(tensor)] = len(self.values)
            self.values.append(tensor)

    def depends(self, value: Any) -> bool:
        """Whether any tensor of an argument depends on the input."""
        return any(self.number(tensor) is not None for tensor in aten.tensors(value))


def merge_passes(few: Pass, more: Pass, *, device: torch.device) -> Tape:
    """The tape that two passes agree on.

    Args:
        few: on `FEW` examples.
        more: on these and others, `MORE` together.
        device: of the network.

    Raises:
        UsageError: the network takes other steps for another number of examples, or mixes examples.
    """
    return _Merging(few, more).tape(device)


class _Merging:
    """The tape that two passes agree on."""

    def __init__(self, few: Pass, more: Pass) -> None:
        self._few, self._more = few, more
        self._constants: dict[int, Constant] = {}
        if [call.function for call in few.calls] != [call.function for call in more.calls]:
            raise UsageError("the network computes other steps for another number of examples")

    def tape(self, device: torch.device) -> Tape:
        pairs = list(zip(self._few.calls, self._more.calls, strict=True))
        read = {value for few, _ in pairs for value in self._numbers([*few.args, *few.kwargs.values()])}
        # What nothing reads and no module gives is never stored.
        wanted = read | set(self._few.layers.values())
        layouts = {}
        for number in sorted(wanted):
            layouts[number] = _layout(self._few.values[number], self._more.values[number])
        return Tape(
            steps=tuple(self._step(few, more, layouts) for few, more in pairs),
            layers=self._few.layers,
            layouts=layouts,
            shapes={number: self._shape(number, layout) for number, layout in layouts.items()},
            device=device,
        )

    def _shape(self, number: int, layout: Layout) -> tuple[int, ...]:
        shape = list(self._few.values[number].shape)
        extent = shape.pop(layout.axis) // FEW
        return tuple(shape) if extent == 1 else (extent, *shape)

    def _step(self, few: Call, more: Call, layouts: dict[int, Layout]) -> TapeStep:
        reads = frozenset(self._numbers([*few.args, *few.kwargs.values()]))
        item, obstacle = few.nonlinearity, few.obstacle
        if (
            item is not None
            and item.role == "pool"
            and any(layouts[value] != Layout(0, 1) for value in reads)
        ):
            obstacle = f"{item.operation} at '{item.name}' works on a tensor {MERGED}"
        numbers = [self._few.number(tensor) for tensor in few.results]
        return TapeStep(
            function=few.function,
            args=self._merge(few.args, more.args),
            kwargs={name: self._merge(value, more.kwargs[name]) for name, value in few.kwargs.items()},
            reads=reads,
            gives=tuple(number if number in layouts else None for number in numbers),
            nonlinearity=item,
            obstacle=obstacle,
        )

    def _numbers(self, value: Any) -> Iterable[int]:
        numbers = (self._few.number(tensor) for tensor in aten.tensors(value))
        return (number for number in numbers if number is not None)

    def _merge(self, few: Any, more: Any) -> Any:
        if isinstance(few, tuple | list):
            return type(few)(self._merge(*pair) for pair in zip(few, more, strict=True))
        if isinstance(few, torch.Tensor):
            number = self._few.number(few)
            if number is not None:
                return Reference(number)
            if id(few) not in self._constants:
                self._constants[id(few)] = _constant(few, more)
            return self._constants[id(few)]
        if isinstance(few, torch.dtype):
            return torch.float64 if few.is_floating_point else few
        # Not `isinstance`: a flag is an int as well, and counts nothing.
        if type(few) is int and few != more:
            factor, rest = divmod(few, FEW)
            if rest or factor * MORE != more:
                raise UsageError(
                    f"the network uses the number {few} for {FEW} examples and {more} for {MORE}"
                )
            return PerExample(factor)
        return few


def _layout(few: torch.Tensor, more: torch.Tensor) -> Layout:
    """Which axis counts examples, proven by the values of the examples that both passes share."""
    grown = [axis for axis in range(few.dim()) if few.shape[axis] != more.shape[axis]]
    if len(grown) == 1 and few.shape[grown[0]] * MORE == more.shape[grown[0]] * FEW:
        layout = Layout(grown[0], few.shape[grown[0]] // FEW)
        shared, again = layout.rows(few), layout.rows(more)[:FEW]
        if not shared.is_floating_point():
            return layout
        # Kernels round otherwise for another batch; examples that are mixed differ by far more.
        known = shared[shared.isfinite()]  # masks of attention hold infinity
        tolerance = 1e-3 * float(known.abs().amax()) if known.numel() else 0.0
        if torch.allclose(shared, again, rtol=0.0, atol=tolerance, equal_nan=True):
            return layout
    raise UsageError(
        f"the network mixes examples: a tensor of shape {tuple(few.shape)} for {FEW} examples "
        f"is one of shape {tuple(more.shape)} for {MORE}"
    )


def _constant(few: torch.Tensor, more: torch.Tensor) -> Constant:
    exact = few.detach().clone() if not few.is_floating_point() else few.detach().to(torch.float64, copy=True)
    if few is more or (few.shape == more.shape and torch.equal(few, more)):
        return Constant(exact, repeated=False)
    if few.dim() and len(few) * MORE == len(more) * FEW and few.shape[1:] == more.shape[1:]:
        share = len(few) // FEW
        if torch.equal(more, few[:share].repeat(MORE, *[1] * (few.dim() - 1))):
            return Constant(exact[:share], repeated=True)
    raise UsageError("the network uses another constant for another number of examples")
