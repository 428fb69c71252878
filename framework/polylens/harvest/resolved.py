"""Takes worked out for one network: which tensors they read and what a row is. Wrong ones are found here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polylens.errors import DataError, UsageError
from polylens.harvest.take import Take
from polylens.plugin import kinds
from polylens.records import Examples, Network

if TYPE_CHECKING:
    import torch

    from polylens.dataflow import Flow, LayerShape, Nonlinearity, Selection
    from polylens.sampling import Sampling


@dataclass(frozen=True)
class ResolvedTake:
    """One take with everything that the network settles: the layer's own name, its shape, the units read."""

    take: Take
    layer: str
    """The layer's own name, aliases resolved."""
    shape: LayerShape
    """How the layer's tensor falls into positions and channels."""
    selection: Selection | None
    """What the code reads; None for activations."""
    sampled: bool
    """Whether a row is a position chosen by the sampling rule; else it is a whole example."""

    @property
    def grid(self) -> tuple[int, ...]:
        """Extent of the rows' positions."""
        return self.shape.grid if self.sampled else ()

    @property
    def rule(self) -> Sampling | None:
        """The sampling rule, where rows are positions."""
        return self.take.sampling if self.sampled else None

    @property
    def width(self) -> int:
        """Numbers of a row: bytes of a packed code, units of a graded one, or channels."""
        if self.selection is not None:
            return self.selection.scheme.width
        if self.sampled:
            return self.shape.width
        grid = thumbnail_grid(self.shape, self.take.thumbnail)
        return self.shape.width * int(np.prod(grid, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of a row's numbers."""
        is_packed = self.selection is not None and not self.selection.scheme.is_graded
        return np.dtype(np.uint8 if is_packed else np.float32)

    @property
    def values_name(self) -> str:
        """Name of the file of the rows' numbers in their stage."""
        if self.selection is None:
            return "activations.npy"
        return "graded.npy" if self.selection.scheme.is_graded else "packed.npy"


@dataclass(frozen=True)
class Sources:
    """What of a forward pass some takes read."""

    layers: tuple[str, ...]
    nonlinearities: tuple[Nonlinearity, ...]
    shapes: Mapping[str, LayerShape]
    """How each of the layers falls into positions and channels."""

    @classmethod
    def of(cls, resolved: Sequence[ResolvedTake]) -> Sources:
        """What these takes read, all of them together."""
        selections = [item.selection for item in resolved if item.selection]
        units = {unit.name: unit for selection in selections for unit in selection.nonlinearities}
        multiplied = {name: unit for selection in selections for name, unit in selection.multiplied().items()}
        layers = [item.layer for item in resolved if item.selection is None]
        shapes = {item.layer: item.shape for item in resolved if item.selection is None}
        shapes |= {name: unit.shape for name, unit in multiplied.items()}
        return cls(tuple(dict.fromkeys([*layers, *multiplied])), tuple(units.values()), shapes)


def resolve_takes(network: Network, examples: Examples, takes: Sequence[Take]) -> tuple[ResolvedTake, ...]:
    """Works out every take on the network, without computing any row.

    Raises:
        UsageError: a layer is unknown, or a code does not fit it.
        DataError: a layer has positions, and no sampling rule says which become rows.
    """
    from polylens.dataflow import trace

    if len(examples) == 0:
        raise DataError("there are no examples to harvest")
    example_input = network.example_input
    example = examples.batch([0]) if example_input is None else example_input
    flow = trace(network.module, example.to(_device_of(network)), aliases=network.aliases)
    return tuple(_resolve(take, flow) for take in takes)


def thumbnail_grid(shape: LayerShape, thumbnail: int | None) -> tuple[int, ...]:
    """The grid of a whole image after it is averaged down; other tensors keep theirs."""
    if thumbnail is None or not is_image(shape):
        return shape.grid
    return tuple(min(extent, thumbnail) for extent in shape.grid)


def is_image(shape: LayerShape) -> bool:
    """Whether a tensor is `examples channels height width`."""
    return shape.channels_first and len(shape.grid) == 2


def _device_of(network: Network) -> torch.device | str:
    first = next(network.module.parameters(), None)
    return "cpu" if first is None else first.device


def _resolve(take: Take, flow: Flow) -> ResolvedTake:
    layer = flow.resolve(take.layer)
    shape = flow.layers[layer]
    if take.part == "activations":
        return ResolvedTake(take, layer, shape, None, sampled=_is_sampled(take, shape))
    if take.code is None:
        raise UsageError(f"codes of layer '{take.layer}' are asked for, but no code says which units")
    selection = take.code.select(flow, layer)
    if take.code.positions == "all":
        return ResolvedTake(take, layer, shape, selection, sampled=False)
    if take.whole and shape.grid:
        raise UsageError(
            f"whole examples of layer '{take.layer}' have no code at one position",
            hint="set the code's 'positions' to all",
        )
    return ResolvedTake(take, layer, shape, selection, sampled=_is_sampled(take, shape))


def _is_sampled(take: Take, shape: LayerShape) -> bool:
    if take.whole or not shape.grid:
        return False
    if take.sampling is None:
        extent = " x ".join(map(str, shape.grid))
        raise DataError(
            f"layer '{take.layer}' has {extent} positions, and nothing says which become rows",
            hint=f"give the spec a 'sampling'; kinds: {', '.join(kinds('sampling'))}",
        )
    return True
