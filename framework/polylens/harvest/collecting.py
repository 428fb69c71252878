"""The forward pass: on the device, each wanted tensor becomes rows or packed bits the moment it exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped

from polylens.bits import pack
from polylens.dataflow import Nonlinearity, capture, gather
from polylens.harvest.loading import Loader, Rule
from polylens.harvest.resolved import ResolvedTake, is_image, thumbnail_grid
from polylens.imports import lightning


@dataclass(frozen=True)
class Collected:
    """The rows that one batch gives one take, still on the device."""

    values: Shaped[torch.Tensor, "rows width"]
    """Activations in 32 bits, or packed codes."""
    n_near: Int64[torch.Tensor, ""]
    """Units within the numerical noise of a kink."""
    n_units: int
    """Units that were looked at for it."""


class Collector(lightning().LightningModule):  # type: ignore[misc]
    """Predicts rows. The pass ends with the last tensor that any take reads."""

    allow_zero_length_dataloader_with_multiple_devices = True
    """With fewer shards than processes, some have nothing to do."""

    def __init__(
        self,
        network: torch.nn.Module,
        resolved: Sequence[ResolvedTake],
        *,
        loader: Callable[[int, int], Loader],
    ) -> None:
        """Args:
        network: whose tensors are taken.
        resolved: the takes.
        loader: gives the batches of one process, from its rank and the number of processes.
        """
        super().__init__()
        self.network = network
        self.resolved = tuple(resolved)
        self._loader = loader
        self._layers = tuple(dict.fromkeys(item.layer for item in resolved if item.selection is None))
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
            self.network, batch["inputs"], layers=self._layers, nonlinearities=self._nonlinearities, take=take
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
        self.activations = self._gather(tensor, self.item).float()

    def add_nonlinearity(self, nonlinearity: Nonlinearity, tensor: torch.Tensor) -> None:
        """Encodes and packs the rows of a nonlinearity's regimes, if the take's code reads them."""
        selection, code = self.item.selection, self.item.take.code
        if selection is None or code is None:
            return
        if all(unit.name != nonlinearity.name for unit in selection.nonlinearities):
            return
        positions = self.rows["position"] if self.item.sampled else None
        values = gather(tensor, nonlinearity.shape, positions, self.rows["example_of_row"])
        self.packed[nonlinearity.name] = pack(code.encode(nonlinearity, values))
        if nonlinearity.role == "units":
            self.near.append(count_near(values, nonlinearity.kinks))
            self.n_units += values.numel()

    def collected(self) -> Collected:
        """The finished rows, the parts of a code in the order of its scheme."""
        if self.item.selection is None:
            if self.activations is None:
                raise RuntimeError(f"the forward pass never reached layer '{self.item.layer}'")
            return Collected(self.activations, torch.zeros((), dtype=torch.int64), 0)
        missed = [unit.name for unit in self.item.selection.nonlinearities if unit.name not in self.packed]
        if missed:
            raise RuntimeError(f"the forward pass never reached {', '.join(missed)}")
        values = torch.cat([self.packed[unit.name] for unit in self.item.selection.nonlinearities], dim=1)
        near = torch.stack(self.near).sum() if self.near else torch.zeros((), dtype=torch.int64)
        return Collected(values, near, self.n_units)

    def _gather(self, tensor: torch.Tensor, item: ResolvedTake) -> torch.Tensor:
        positions = self.rows["position"] if item.sampled else None
        return gather(tensor, item.shape, positions, self.rows["example_of_row"])

    def _thumbnail(self, tensor: torch.Tensor) -> torch.Tensor:
        grid = thumbnail_grid(self.item.shape, self.item.take.thumbnail)
        if grid == self.item.shape.grid or not is_image(self.item.shape):
            return tensor
        return torch.nn.functional.adaptive_avg_pool2d(tensor.float(), grid)


def count_near(
    values: Float[torch.Tensor, "rows units"], kinks: tuple[float, ...]
) -> Int64[torch.Tensor, ""]:
    """How many pre-activations another order of summation, at this precision, might carry over a kink.

    A unit counts where it is nearer to a kink than the rounding step of the precision times the greatest
    pre-activation of its row.

    >>> int(count_near(torch.tensor([[1e-9, 1.0, -2.0]]), (0.0,)))
    1
    """
    exact = values.float()
    noise = torch.finfo(values.dtype).eps * exact.abs().amax(dim=1, keepdim=True)
    near = torch.zeros_like(exact, dtype=torch.bool)
    for kink in kinks:
        near |= (exact - kink).abs() <= noise
    return near.sum()
