"""The forward pass: on the device, each wanted tensor becomes rows or packed bits the moment it exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Int64, Shaped

from polylens.bits import pack
from polylens.dataflow import LayerShape, Nonlinearity, capture, gather, near_boundary
from polylens.errors import UsageError
from polylens.harvest.loading import Loader, Rule
from polylens.harvest.resolved import ResolvedTake, thumbnail_grid
from polylens.imports import lightning


@dataclass(frozen=True)
class Collected:
    """The rows that one batch gives one take, still on the device."""

    values: Shaped[torch.Tensor, "rows width"]
    """Activations in 32 bits, or packed codes."""
    n_near: Int64[torch.Tensor, ""]
    """Units within the numerical noise of a kink, still on the device: reading it would wait for the pass."""
    n_units: int
    """Units that were looked at for it."""


class Collector(lightning().LightningModule):  # type: ignore[misc]
    """Predicts rows. The pass ends with the last tensor that any take reads.

    Args:
        network: whose tensors are taken.
        resolved: the takes.
        loader: gives the batches of one process, from its rank and the number of processes.
    """

    allow_zero_length_dataloader_with_multiple_devices = True
    """With fewer shards than processes, some have nothing to do."""

    def __init__(
        self,
        network: torch.nn.Module,
        resolved: Sequence[ResolvedTake],
        *,
        loader: Callable[[int, int], Loader],
    ) -> None:
        super().__init__()
        self.network = network
        self.resolved = tuple(resolved)
        self._loader = loader
        self._layers = tuple(dict.fromkeys(item.layer for item in resolved if item.selection is None))
        self._flattened = tuple(item.layer for item in resolved if item.shape.flattened)
        selected = (unit for item in resolved if item.selection for unit in item.selection.nonlinearities)
        self._nonlinearities = tuple({unit.name: unit for unit in selected}.values())

    def predict_dataloader(self) -> Loader:
        """The batches of this process; only once the processes run is its rank known."""
        return self._loader(self.trainer.global_rank, self.trainer.world_size)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Collected]:
        """The rows of one batch, by digest of the take."""
        partial = {
            item.take.digest: _Partial(item, batch["rows"][Rule.of(item).key]) for item in self.resolved
        }

        def take(source: str | Nonlinearity, tensor: torch.Tensor) -> None:
            for rows in partial.values():
                if isinstance(source, str):
                    rows.add_layer(source, tensor)
                else:
                    rows.add_nonlinearity(source, tensor)

        capture(
            self.network,
            batch["inputs"],
            layers=self._layers,
            nonlinearities=self._nonlinearities,
            take=take,
            flattened=self._flattened,
        )
        return {digest: rows.collected() for digest, rows in partial.items()}


@dataclass
class _Partial:
    """One take's rows while the pass runs."""

    item: ResolvedTake
    rows: dict[str, Any]
    activations: torch.Tensor | None = None
    packed: dict[str, torch.Tensor] = field(default_factory=dict)
    near: list[torch.Tensor] = field(default_factory=list)
    n_units: int = 0

    def add_layer(self, layer: str, tensor: torch.Tensor) -> None:
        """Keeps the rows of a layer's tensor, if it is the take's own."""
        if self.item.selection is not None or layer != self.item.layer:
            return
        if not self.item.sampled:
            tensor = self._thumbnail(tensor)
        self.activations = self._gather(tensor, self.item.shape).float()

    def add_nonlinearity(self, nonlinearity: Nonlinearity, tensor: torch.Tensor) -> None:
        """Encodes and packs the rows of a nonlinearity's regimes, if the take's code reads them."""
        selection, code = self.item.selection, self.item.take.code
        if selection is None or code is None:
            return
        if all(unit.name != nonlinearity.name for unit in selection.nonlinearities):
            return
        values = self._gather(tensor, nonlinearity.shape)
        self.packed[nonlinearity.name] = pack(code.encode(nonlinearity, values))
        if nonlinearity.role == "units":
            self.near.append(near_boundary(values, kinks=nonlinearity.kinks))
            self.n_units += values.numel()

    def collected(self) -> Collected:
        """The finished rows, the parts of a code in the order of its scheme."""
        if self.item.selection is None:
            assert self.activations is not None  # `capture` raises where the pass does not come by a layer
            return Collected(self.activations, self._n_near(), self.n_units)
        parts = [self.packed[unit.name] for unit in self.item.selection.nonlinearities]
        return Collected(torch.cat(parts, dim=1), self._n_near(), self.n_units)

    def _n_near(self) -> Int64[torch.Tensor, ""]:
        return torch.stack(self.near).sum() if self.near else torch.zeros((), dtype=torch.int64)

    def _gather(self, tensor: torch.Tensor, shape: LayerShape) -> torch.Tensor:
        positions = self.rows["position"] if self.item.sampled else None
        is_text = len(shape.grid) == 1 and not shape.channels_first
        if positions is None and is_text and tensor[0].numel() != shape.size:
            raise UsageError(
                f"inputs of other lengths give rows of other widths where a row is a whole example of "
                f"'{self.item.take.layer}'",
                hint="give the spec a sampling and codes with positions: same, or inputs of one length",
            )
        return gather(tensor, shape, positions, self.rows["example_of_row"])

    def _thumbnail(self, tensor: torch.Tensor) -> torch.Tensor:
        """A whole image, averaged down; other tensors as they are."""
        grid = thumbnail_grid(self.item.shape, self.item.take.thumbnail)
        if grid == self.item.shape.grid:
            return tensor
        height, width = grid
        return torch.nn.functional.adaptive_avg_pool2d(tensor.float(), (height, width))
