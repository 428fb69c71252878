"""The forward pass: on the device, each wanted tensor becomes rows or packed bits the moment it exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from jaxtyping import Int64

from polylens.bits import pack
from polylens.dataflow import (
    Attentions,
    ChosenTokens,
    LayerShape,
    Narrowed,
    Nonlinearity,
    NotNarrowError,
    capture,
    gather,
    near_boundary,
)
from polylens.errors import UsageError
from polylens.harvest.collected import Collected
from polylens.harvest.explaining import output_sums
from polylens.harvest.loading import Loader, Rule
from polylens.harvest.resolved import ResolvedTake, Sources, thumbnail_grid
from polylens.harvest.trying import Narrowing, try_narrowing
from polylens.imports import lightning


class Collector(lightning().LightningModule):  # type: ignore[misc]
    """Predicts rows. The pass ends with the last tensor that any take reads.

    Args:
        network: whose tensors are taken.
        resolved: the takes.
        loader: gives the batches of one process, from its rank and the number of processes.
    """

    narrows = True
    """Whether only chosen tokens are computed from the last attention that matters on, where that works."""

    def __init__(
        self,
        network: torch.nn.Module,
        resolved: Sequence[ResolvedTake],
        *,
        loader: Callable[[int, int], Loader],
    ) -> None:
        super().__init__()
        # With fewer shards than processes, some have nothing to do. Lightning takes a class' own word back.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        self.network = network
        self.resolved = tuple(resolved)
        self._loader = loader
        self._narrowing: Narrowing | None = None
        """How passes are narrowed; None until some batch has shown it."""
        self._sources = Sources.of(resolved)

    def predict_dataloader(self) -> Loader:
        """The batches of this process; only once the processes run is its rank known."""
        return self._loader(self.trainer.global_rank, self.trainer.world_size)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Collected]:
        """The rows of one batch, by digest of the take."""
        positions = batch["chosen"]
        if positions is None or not self.narrows:
            return self._collect(batch)
        if self._narrowing is None:
            self._narrowing = try_narrowing(self._collect, batch)
        attention = None if self._narrowing is None else self._narrowing.attention
        if attention is None:
            return self._collect(batch)
        chosen = ChosenTokens(positions, n_tokens=batch["inputs"].shape[1])
        try:
            return self._collect(batch, Attentions(chosen, at=attention))
        except NotNarrowError:  # longer texts took another way through the network than the tried one
            self._narrowing = Narrowing(attention=None)
            return self._collect(batch)

    def _collect(self, batch: dict[str, Any], attentions: Attentions | None = None) -> dict[str, Collected]:
        """The rows of one batch by one pass."""
        partial = {
            item.take.digest: _Partial(item, batch["rows"][Rule.of(item).key]) for item in self.resolved
        }

        def take(source: str | Nonlinearity, tensor: torch.Tensor) -> None:
            if len(tensor) != len(batch["inputs"]):
                name = source if isinstance(source, str) else source.name
                raise UsageError(
                    f"'{name}' has the shape {tuple(tensor.shape)} for {len(batch['inputs'])} examples: "
                    "its first axis does not count them",
                    hint="take a layer whose first axis counts examples",
                )
            for rows in partial.values():
                if isinstance(source, str):
                    rows.add_layer(source, tensor)
                else:
                    rows.add_nonlinearity(source, tensor)

        capture(
            self.network,
            batch["inputs"],
            layers=self._sources.layers,
            nonlinearities=self._sources.nonlinearities,
            take=take,
            shapes=self._sources.shapes,
            attentions=attentions,
        )
        return {digest: rows.result() for digest, rows in partial.items()}


@dataclass
class _Partial:
    """One take's rows while the pass runs."""

    item: ResolvedTake
    rows: dict[str, Any]
    activations: torch.Tensor | None = None
    parts: dict[str, torch.Tensor] = field(default_factory=dict)
    near: list[torch.Tensor] = field(default_factory=list)
    undefined: torch.Tensor | None = None
    n_units: int = 0
    awaited: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)
    sums: dict[str, torch.Tensor] = field(default_factory=dict)

    def add_layer(self, layer: str, tensor: torch.Tensor) -> None:
        """Keeps the rows of a layer's tensor, if it is the take's own or what gates of its code multiply."""
        if self.item.selection is not None:
            unit = self.item.selection.multiplied().get(layer)
            if unit is not None:
                self._explain(unit, self._gather(tensor, unit.shape), what="factor")
            return
        if layer != self.item.layer:
            return
        if not self.item.sampled:
            tensor = self._thumbnail(tensor)
        self.activations = self._gather(tensor, self.item.shape).float()
        self.undefined = ~self.activations.isfinite().all(dim=1)

    def add_nonlinearity(self, nonlinearity: Nonlinearity, tensor: torch.Tensor) -> None:
        """Encodes and packs the rows of a nonlinearity's regimes, if the take's code reads them."""
        selection, code = self.item.selection, self.item.take.code
        if selection is None or code is None:
            return
        if all(unit.name != nonlinearity.name for unit in selection.nonlinearities):
            return
        values = self._gather(tensor, nonlinearity.shape)
        # A comparison with NaN is false: it would give a code like any other.
        undefined = values.isnan().any(dim=1)
        self.undefined = undefined if self.undefined is None else self.undefined | undefined
        encoded = code.encode(nonlinearity, values)
        self.parts[nonlinearity.name] = encoded if code.is_graded else pack(encoded)
        if nonlinearity in selection.approximated:
            self._explain(nonlinearity, values, what="values")
        if nonlinearity.role == "units":
            self.near.append(near_boundary(values, kinks=nonlinearity.kinks))
            self.n_units += values.numel()

    def result(self) -> Collected:
        """The finished rows, the parts of a code in the order of its scheme."""
        if self.item.selection is None:
            assert self.activations is not None  # `capture` raises where the pass does not come by a layer
            assert self.undefined is not None
            return Collected(self.activations, self._n_near(), self.n_units, self.undefined)
        parts = [self.parts[unit.name] for unit in self.item.selection.nonlinearities]
        sums = [self.sums[unit.name] for unit in self.item.selection.approximated]
        assert self.undefined is not None  # a selection without nonlinearities is refused before
        return Collected(
            torch.cat(parts, dim=1),
            self._n_near(),
            self.n_units,
            self.undefined,
            sums=torch.cat(sums, dim=1) if sums else None,
        )

    def _explain(self, unit: Nonlinearity, rows: torch.Tensor, *, what: Literal["values", "factor"]) -> None:
        """Adds a nonlinearity's output up, once both it and what it multiplies are there, in either order."""
        assert self.item.selection is not None  # only codes have units to explain
        given = self.awaited.setdefault(unit.name, {})
        given[what] = rows
        if unit.name in self.item.selection.factors and len(given) < 2:
            return
        self.sums[unit.name] = output_sums(unit, given["values"], given.get("factor"))
        del self.awaited[unit.name]

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
        if isinstance(tensor, Narrowed):
            return tensor.rows(self.rows["example_of_row"], self.rows["position"])
        return gather(tensor, shape, positions, self.rows["example_of_row"])

    def _thumbnail(self, tensor: torch.Tensor) -> torch.Tensor:
        """A whole image, averaged down; other tensors as they are."""
        grid = thumbnail_grid(self.item.shape, self.item.take.thumbnail)
        if grid == self.item.shape.grid:
            return tensor
        height, width = grid
        return torch.nn.functional.adaptive_avg_pool2d(tensor.float(), (height, width))
