"""How the tensors of a watched pass fall into positions and channels.

1. Before an operation's result is noted, `expect` works out where its channels will be
   (`axes.channels_given`).
2. When the result has its ids, `note` keeps the first id, the shape, the strides and that axis.
3. A tensor that lies as its step made it has its channels where the step has them; any other is looked at
   by some of its values (`axes.channels_seen`).
4. The order of axes follows: channels in front of a grid, or behind the one axis of a sequence
   (`shape_of`).

Invariant: what cannot be told is said with the reason, and becomes no layer.

Cost: a record for each step, and a few look-ups for each module's output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import torch

from polylens.dataflow.axes import CONVOLUTIONS, Made, channels_given, channels_seen, order_of_tokens
from polylens.dataflow.memory import Memory
from polylens.dataflow.operations import Arguments, canonical, is_elementwise
from polylens.dataflow.shapes import LayerShape


class Forms:
    """Knows of every step which axis counts channels, and so how a tensor of their values is to be read.

    Of texts, the axis of tokens is told by its extent: the number of tokens that is traced is a rare one.

    Args:
        memory: of the pass.
        n_tokens: of the example that is traced; 0 where inputs are no tokens.
        claimed: tokens that inputs are said to have.
        channels: the axis of the input's channels.
    """

    def __init__(self, memory: Memory, *, n_tokens: int, claimed: int, channels: int) -> None:
        self._memory = memory
        self._n_tokens, self._claimed = n_tokens, claimed
        self._channels: int | None = channels
        self._made: dict[int, Made] = {}

    def expect(
        self,
        function: torch._ops.OpOverload,
        arguments: Arguments,
        given: Sequence[torch.Tensor],
        *,
        depends: Callable[[Any], bool],
    ) -> None:
        """Finds where an operation's result has its channels, before the result is noted."""
        if self._n_tokens or not given:
            self._channels = None
            return
        self._channels = channels_given(
            canonical(function),
            arguments,
            is_elementwise=is_elementwise(function),
            rank=given[0].dim(),
            channels_of=self.channels_of,
            depends=depends,
        )

    def expect_alike(self, source: torch.Tensor) -> None:
        """Says that what is noted next has its channels where `source` has them."""
        self._channels = None if self._n_tokens else self.channels_of(source)

    def note(self, step: int, tensor: torch.Tensor) -> None:
        """Keeps how a step's values lie, once they have their ids."""
        # Where only a part of a storage was written, its ids were given in row-major order instead.
        whole = self._memory.lies_as_written(tensor)
        self._made[step] = Made(
            first=self._memory.firsts[step] + (int(tensor.storage_offset()) if whole else 0),
            shape=tuple(tensor.shape),
            strides=tensor.stride() if whole else _row_major(tensor.shape),
            channels=self._channels,
        )

    def shows_channels_first(self, operation: str, arguments: Arguments) -> bool:
        """Whether a convolution reads as positions what a sequence was taken to have as channels."""
        start = self._made[0]
        if operation not in CONVOLUTIONS or self._n_tokens or (len(start.shape), start.channels) != (3, 2):
            return False
        source = arguments.get("input", arguments.get("self"))
        return isinstance(source, torch.Tensor) and self.channels_of(source) == 2

    def channels_of(self, tensor: torch.Tensor) -> int | None:
        """The axis of a tensor's channels; None where it is not known."""
        steps = self._memory.steps(tensor)
        made = self._made.get(next(iter(steps))) if len(steps) == 1 else None
        is_as_made = made is not None and (made.shape, made.strides) == (tensor.shape, tensor.stride())
        if made is not None and is_as_made and self._memory.lies_as_written(tensor):
            return made.channels
        if not any(self._made[step].channels is not None for step in steps if step in self._made):
            return None
        return channels_seen(self._memory.ids(tensor), made_by=self._made_by)

    def is_flattened(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor has examples and tokens of text in one axis: of one example, tokens."""
        first = tensor.shape[0] if tensor.dim() >= 2 else 1
        return first == self._n_tokens != 1 and self._memory.knows(tensor)

    def shape_of(self, tensor: torch.Tensor, *, flattened: bool) -> LayerShape | str:
        """How a tensor falls into positions and channels; why not, where that is not known.

        Args:
            tensor: with an axis of one example in front.
            flattened: whether the network has examples and tokens in one axis there.
        """
        if tensor.is_complex():
            return "its output is of complex numbers, and rows are of real ones"
        extents = tuple(tensor.shape[1:])
        order = self._order(tensor, extents)
        if isinstance(order, str):
            return order
        # Axes that are in order already need no moving, unless several count channels and become one.
        if order == tuple(range(len(order))) and not (self._n_tokens and len(order) > 2):
            order = ()
        form = tuple(extents[axis] for axis in order) if order else extents
        if self._n_tokens and order:
            form = (form[0], prod(form[1:]))
        shape = LayerShape.of(form).with_tokens(self._n_tokens, claimed=self._claimed)
        return replace(shape, flattened=flattened, shared=not self._memory.steps(tensor), order=order)

    def _order(self, tensor: torch.Tensor, extents: tuple[int, ...]) -> tuple[int, ...] | str:
        """The axes of one example in the order of the form that `LayerShape` speaks of."""
        if len(extents) < 2:
            return ()
        if self._n_tokens:
            return order_of_tokens(extents, n_tokens=self._n_tokens)
        channels = self.channels_of(tensor)
        if channels is None or channels == 0:
            untold = f"which of its axes {extents} counts channels cannot be told"
            if not self._memory.steps(tensor):
                return f"{untold}: nothing of the input reaches it"
            return f"{untold} from what computed it"
        others = tuple(axis for axis in range(len(extents)) if axis != channels - 1)
        return (*others, channels - 1) if len(extents) == 2 else (channels - 1, *others)

    def _made_by(self, value: int) -> Made | None:
        return self._made.get(self._memory.step_of(value)) if value > 0 else None


def _row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """How far apart neighbours along each axis are where the last axis runs fastest."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
