"""The operations of a network as a list that can be run again on any number of points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Float64, Shaped

from polylens.dataflow import Nonlinearity
from polylens.dataflow.operations import Arguments, arguments_by_name
from polylens.errors import DataError, UsageError, listed, nearest


def check_finite(numbers: Float[torch.Tensor, "..."], *, what: str) -> None:
    """Refuses points, and values at points, that are in no polytope.

    Args:
        numbers: at some points.
        what: they are, for the error.

    Raises:
        DataError: one of them is NaN or infinite.
    """
    # NaN is the smallest and the largest of whatever holds it.
    if numbers.numel() and not torch.stack(torch.aminmax(numbers.detach())).isfinite().all():
        raise DataError(
            f"{what} is NaN or infinite at some point, which is in no polytope then",
            hint="look at the network's weights and at the points",
        )


@dataclass(frozen=True)
class Reference:
    """Stands for a value of the network among the arguments of an operation."""

    value: int


@dataclass(frozen=True)
class PerExample:
    """Stands for an integer that grows with the number of examples."""

    factor: int


@dataclass(frozen=True, eq=False)
class Constant:
    """Stands for a tensor that does not depend on the input."""

    tensor: torch.Tensor
    """In double precision where it holds floating-point numbers."""
    repeated: bool
    """Whether `tensor` is one example's share, to be repeated for each."""


@dataclass(frozen=True)
class Layout:
    """Where the examples are in a value."""

    axis: int
    """The axis that counts them."""
    share: int
    """Entries of that axis that belong to one example."""

    def rows(self, tensor: Shaped[torch.Tensor, "..."]) -> Shaped[torch.Tensor, "points numbers"]:
        """The tensor with one row an example."""
        moved = tensor.movedim(self.axis, 0) if self.axis else tensor
        return moved.reshape(tensor.shape[self.axis] // self.share, -1)

    def restore(
        self, rows: Shaped[torch.Tensor, "points numbers"], like: torch.Size
    ) -> Shaped[torch.Tensor, "..."]:
        """The tensor of these rows, in the shape that `like` has but for the number of examples."""
        others = [extent for axis, extent in enumerate(like) if axis != self.axis]
        moved = rows.reshape(len(rows) * self.share, *others)
        return moved.movedim(0, self.axis) if self.axis else moved


@dataclass(frozen=True, eq=False)
class TapeStep:
    """One operation."""

    function: torch._ops.OpOverload
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    reads: frozenset[int]
    gives: tuple[int | None, ...]
    """The value that each tensor of its result is, in order; None for those that nobody reads."""
    nonlinearity: Nonlinearity | None = None
    obstacle: str = ""
    """What about it is neither affine nor a nonlinearity with regimes, and where."""

    def arguments(self, values: Mapping[int, torch.Tensor], points: int) -> Arguments:
        """The operation's arguments by name, for these values and this number of examples."""
        args = tuple(_fill(item, values, points) for item in self.args)
        kwargs = {name: _fill(item, values, points) for name, item in self.kwargs.items()}
        return arguments_by_name(self.function, args, kwargs)

    def run(
        self, values: Mapping[int, torch.Tensor], points: int
    ) -> list[tuple[int, Shaped[torch.Tensor, "..."]]]:
        """What the operation gives: each value that is read later, and its tensor."""
        args = tuple(_fill(item, values, points) for item in self.args)
        kwargs = {name: _fill(item, values, points) for name, item in self.kwargs.items()}
        result = self.function(*args, **kwargs)
        tensors = [result] if isinstance(result, torch.Tensor) else list(result)
        pairs = zip(self.gives, tensors, strict=True)
        return [(value, tensor) for value, tensor in pairs if value is not None]

    def check_finite(self, numbers: Float[torch.Tensor, "..."]) -> None:
        """Refuses what has no regimes: a comparison with NaN is false, and would be a regime like any other.

        Args:
            numbers: what its nonlinearity is about to read.

        Raises:
            DataError: one of them is NaN or infinite.
        """
        assert self.nonlinearity is not None
        check_finite(numbers, what=f"what '{self.nonlinearity.name}' reads")


def _fill(item: Any, values: Mapping[int, torch.Tensor], points: int) -> Any:
    if isinstance(item, Reference):
        return values[item.value]
    if isinstance(item, PerExample):
        return item.factor * points
    if isinstance(item, Constant):
        if not item.repeated:
            return item.tensor
        return item.tensor.repeat(points, *[1] * (item.tensor.dim() - 1))
    if isinstance(item, tuple | list):
        return type(item)(_fill(part, values, points) for part in item)
    return item


@dataclass(frozen=True, eq=False)
class Part:
    """The operations from one layer to another."""

    layer: str
    through: str
    start: int
    """The value that holds the layer."""
    end: int
    """The value that holds `through`."""
    steps: tuple[TapeStep, ...]
    last_use: Mapping[int, int]
    """By value, the step that reads it last; the end is never forgotten."""
    layouts: Mapping[int, Layout]
    shape: tuple[int, ...]
    """The shape of one point of the layer."""
    shapes: Mapping[str, tuple[int, ...]]
    """By nonlinearity, the shape of one example's regimes."""
    decisions: tuple[str, ...]
    """Values that the network's Python looked at, after which it may compute something else."""
    device: torch.device

    @property
    def nonlinearities(self) -> tuple[Nonlinearity, ...]:
        """In the order of execution."""
        return tuple(step.nonlinearity for step in self.steps if step.nonlinearity is not None)

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What here is not piecewise linear, one sentence each; smooth units among them."""
        met = [*(step.obstacle for step in self.steps if step.obstacle), *self.decisions]
        smooth = [
            f"{item.operation} at '{item.name}' is smooth"
            for item in self.nonlinearities
            if not item.piecewise_linear
        ]
        return tuple(dict.fromkeys([*met, *smooth]))

    def forward(self, points: Float[torch.Tensor, "points ..."]) -> Float[torch.Tensor, "points ..."]:
        """What the network gives at `through` for these tensors of `layer`, in double precision."""
        values = {self.start: self.lay_out(points)}
        for index, step in enumerate(self.steps):
            values.update(step.run(values, len(points)))
            for value in step.reads:
                if self.last_use[value] == index:
                    del values[value]
        return values[self.end]

    def lay_out(self, points: Float[torch.Tensor, "points ..."]) -> Float[torch.Tensor, "..."]:
        """A batch of points of the layer, as the network has it."""
        layout = self.layouts[self.start]
        like = [*self.shape[1:]] if layout.share > 1 else [*self.shape]
        like.insert(layout.axis, 1)
        return layout.restore(points.flatten(1), torch.Size(like))

    def convert_point(self, point: Shaped[torch.Tensor, "..."]) -> Float[torch.Tensor, "..."]:
        """A point of the layer in double precision, where the network is.

        Raises:
            UsageError: it has another shape.
            DataError: it holds NaN or infinity.
        """
        return self.convert_points(point[None])[0]

    def convert_points(
        self, points: Shaped[torch.Tensor, "points ..."]
    ) -> Float64[torch.Tensor, "points ..."]:
        """Points of the layer in double precision, where the network is.

        Raises:
            UsageError: they have another shape.
            DataError: one holds NaN or infinity.
        """
        if tuple(points.shape[1:]) != self.shape:
            raise UsageError(
                f"a point of '{self.layer}' has the shape {self.shape}, not {tuple(points.shape[1:])}",
                hint="points are given without the axis of examples",
            )
        check_finite(points, what=f"'{self.layer}'")
        return points.detach().to(device=self.device, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class Tape:
    """All operations of a network on what depends on its input, as one forward pass showed them."""

    steps: tuple[TapeStep, ...]
    layers: Mapping[str, int]
    """The value that each layer's output is."""
    layouts: Mapping[int, Layout]
    shapes: Mapping[int, tuple[int, ...]]
    """By value, the shape of one example."""
    device: torch.device

    def part(self, layer: str = "input", through: str = "output") -> Part:
        """The operations from the tensor of `layer` to that of `through`.

        Raises:
            UsageError: there is no such layer, nothing is computed between them, or `through` also depends
                on the input by ways that do not pass the layer.
        """
        start, end = self._value(layer), self._value(through)
        needed = {end}
        chosen: list[TapeStep] = []
        for step in reversed(self.steps):
            if start not in step.gives and needed & set(step.gives):
                chosen.append(step)
                needed |= step.reads
        depends, steps = {start}, []
        for step in reversed(chosen):
            if step.reads & depends:
                steps.append(step)
                depends |= {value for value in step.gives if value is not None}
        affected = {start}
        for step in self.steps:
            if step.reads & affected:
                affected |= {value for value in step.gives if value is not None}
        bypassing = any(not step.reads <= depends for step in steps)
        if end not in depends or end == start:
            raise UsageError(f"'{through}' is not computed from '{layer}'")
        if bypassing:
            raise UsageError(
                f"'{through}' also depends on the input by ways that do not pass '{layer}'",
                hint="take a layer that everything passes, such as the output of a whole block",
            )
        last_use = {value: index for index, step in enumerate(steps) for value in step.reads}
        shapes = {
            step.nonlinearity.name: self.shapes[given]
            for step in steps
            if step.nonlinearity is not None and (given := step.gives[0]) is not None
        }
        return Part(
            layer=layer,
            through=through,
            start=start,
            end=end,
            steps=tuple(steps),
            last_use={**last_use, end: len(steps)},
            layouts=self.layouts,
            shape=self.shapes[start],
            shapes=shapes,
            decisions=tuple(step.obstacle for step in self.steps if not step.gives and step.reads & affected),
            device=self.device,
        )

    def _value(self, layer: str) -> int:
        if layer in self.layers:
            return self.layers[layer]
        suggestion = nearest(layer, list(self.layers))
        hint = f"did you mean '{suggestion}'?" if suggestion else f"layers: {listed(tuple(self.layers))}"
        raise UsageError(f"the network has no layer '{layer}'", hint=hint)
