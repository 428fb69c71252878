"""How a layer's tensor falls into positions and channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import torch
from jaxtyping import Int64, Shaped


@dataclass(frozen=True)
class LayerShape:
    """Positions and channels of one example at one layer.

    Read off the tensor's rank: `examples channels height width` (and any further grid axes) has channels
    first; `examples tokens channels` has them last; `examples channels` has no positions: a row is a whole
    example.
    """

    grid: tuple[int, ...]
    """Extent of the positions: (height, width), (tokens,), or () where a row is a whole example."""
    width: int
    """Channels at one position."""
    channels_first: bool
    """Whether channels stand before the grid."""
    flattened: bool = field(default=False, repr=False)
    """Whether the network has examples and tokens in one axis there, examples outside, instead of two."""

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> LayerShape:
        """The shape of one example, given without the axis of examples.

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

    def fits(self, other: LayerShape) -> bool:
        """Whether both can be of one layer: tokens may be more or fewer in another batch.

        >>> LayerShape.of((5, 16)).fits(LayerShape.of((9, 16)))
        True
        """
        of_tokens = len(self.grid) == len(other.grid) == 1
        grids_fit = self.grid == other.grid or of_tokens
        return grids_fit and self.width == other.width and self.channels_first == other.channels_first

    def with_tokens(self, seen: int, *, claimed: int) -> LayerShape:
        """The same with as many tokens as are claimed, where positions are the tokens seen."""
        of_tokens = seen > 0 and not self.channels_first and self.grid == (seen,)
        return replace(self, grid=(claimed,)) if of_tokens else self

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


def first_tensor(output: Any) -> torch.Tensor | None:
    """The tensor an output stands for: itself, or the first one in a tuple, list or map; None without any."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((found for item in output if (found := first_tensor(item)) is not None), None)
    return None
