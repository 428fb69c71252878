"""How a layer's tensor falls into positions and channels.

1. The network's tensor is brought into one of three forms (`arrange`): examples and tokens that share an
   axis are taken apart, what is computed once is repeated for all examples, and axes are put in the form's
   order.
2. Rows are picked from it by example and flat position, all channels of one position a row (`gather`).

Invariant: one position means one place of the input in every batch, however many examples or tokens it has.

Cost: views where nothing is out of order; a copy of what is picked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import torch
from jaxtyping import Int64, Shaped

from polylens.errors import UsageError


@dataclass(frozen=True)
class LayerShape:
    """Positions and channels of one example at one layer.

    A tensor has one of three forms, or is brought into one by `arrange`: `examples channels height width`
    (and any further grid axes) has channels first; `examples tokens channels` has them last; `examples
    channels` has no positions: a row is a whole example.
    """

    grid: tuple[int, ...]
    """Extent of the positions: (height, width), (tokens,), or () where a row is a whole example."""
    width: int
    """Channels at one position."""
    channels_first: bool
    """Whether channels stand before the grid."""
    flattened: bool = field(default=False, repr=False)
    """Whether the network has examples and tokens in one axis there, examples outside, instead of two."""
    shared: bool = field(default=False, repr=False)
    """Whether nothing there depends on the input: the network may then compute it once for all examples."""
    order: tuple[int, ...] = field(default=(), repr=False)
    """Where the network's tensor has another form: its axes, without that of examples, in the form's order.
    Where channels stand last in the form, all axes behind the first are channels."""

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> LayerShape:
        """The shape of one example of a tensor that has one of the forms, without the axis of examples.

        >>> LayerShape.of((512, 14, 14))
        LayerShape(grid=(14, 14), width=512, channels_first=True)
        >>> LayerShape.of((10,)).grid
        ()
        """
        if len(shape) >= 3:
            return cls(grid=tuple(shape[1:]), width=shape[0], channels_first=True)
        if len(shape) == 2:
            return cls(grid=(shape[0],), width=shape[1], channels_first=False)
        return cls(grid=(), width=prod(shape), channels_first=False)

    def fits(self, shape: LayerShape) -> bool:
        """Whether both can be of one layer: tokens may be more or fewer in another batch.

        >>> LayerShape.of((5, 16)).fits(LayerShape.of((9, 16)))
        True
        """
        of_tokens = len(self.grid) == len(shape.grid) == 1
        grids_fit = self.grid == shape.grid or of_tokens
        return grids_fit and self.width == shape.width and self.channels_first == shape.channels_first

    def with_tokens(self, seen: int, *, claimed: int) -> LayerShape:
        """This shape with `claimed` positions if its positions are the `seen` tokens; itself otherwise."""
        of_tokens = seen > 0 and not self.channels_first and self.grid == (seen,)
        return replace(self, grid=(claimed,)) if of_tokens else self

    def arrange(
        self, tensor: Shaped[torch.Tensor, "..."], *, n_examples: int, n_tokens: int
    ) -> Shaped[torch.Tensor, "examples ..."]:
        """The network's tensor in the form that this shape speaks of.

        Args:
            tensor: as the network gives it for a batch.
            n_examples: of the batch.
            n_tokens: of each input; without meaning where inputs are no tokens.

        Raises:
            UsageError: it has another number of tokens than the batch.
        """
        if self.flattened:
            tensor = _apart(tensor, n_examples=n_examples, n_tokens=n_tokens)
            return tensor.flatten(2) if self.order else tensor
        if self.shared and len(tensor) == 1:
            tensor = tensor.expand(n_examples, *tensor.shape[1:])
        if not self.order:
            return tensor
        moved = tensor.permute(0, *(axis + 1 for axis in self.order))
        return moved if self.channels_first else moved.flatten(2)

    @property
    def n_positions(self) -> int:
        """How many positions there are; 1 where a row is a whole example."""
        return prod(self.grid)

    @property
    def size(self) -> int:
        """Elements of one example."""
        return self.n_positions * self.width


def gather(
    tensor: Shaped[torch.Tensor, "examples ..."],
    shape: LayerShape,
    positions: Int64[torch.Tensor, "rows"] | None,
    example_of_row: Int64[torch.Tensor, "rows"],
) -> Shaped[torch.Tensor, "rows width"]:
    """The rows of a layer's tensor, as a tensor of their own.

    Args:
        tensor: the layer's tensor for a batch of examples.
        shape: how it falls into positions and channels.
        positions: raw position of each row, flat in row-major order over the grid; None where a row is a
            whole example, which then becomes one flat row in the tensor's own order.
        example_of_row: index of each row's example in the batch.

    >>> tensor = torch.arange(8).reshape(1, 2, 2, 2)
    >>> shape = LayerShape.of((2, 2, 2))
    >>> gather(tensor, shape, torch.tensor([3]), torch.tensor([0])).tolist()
    [[3, 7]]
    """
    example_of_row = example_of_row.to(tensor.device)
    if positions is None or not shape.grid:
        return tensor.flatten(1)[example_of_row] if tensor.dim() > 1 else tensor[example_of_row].unsqueeze(1)
    positions = positions.to(tensor.device)
    if shape.channels_first:
        return tensor.flatten(2)[example_of_row, :, positions]
    return tensor[example_of_row, positions]


def _apart(tensor: torch.Tensor, *, n_examples: int, n_tokens: int) -> torch.Tensor:
    """Examples and tokens in two axes, of a tensor that has both in one, or tokens outside."""
    if len(tensor) == n_examples * n_tokens:
        return tensor.reshape(n_examples, n_tokens, *tensor.shape[1:])
    if tensor.dim() > 2 and tuple(tensor.shape[:2]) == (n_tokens, n_examples):
        return tensor.transpose(0, 1).unsqueeze(2)
    raise UsageError(
        f"a tensor of the shape {tuple(tensor.shape)} has not {n_examples} examples of {n_tokens} tokens",
        hint="take a layer that has every token of every example",
    )


def first_tensor(output: Any) -> torch.Tensor | None:
    """The tensor an output stands for: itself, or the first one in a tuple, list or map; None without any."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((tensor for item in output if (tensor := first_tensor(item)) is not None), None)
    return None
