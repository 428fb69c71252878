"""Codes of further layers of a network, read for the rows at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from polylens.analyses import Probed
from polylens.dataflow import Flow, Nonlinearity, capture, gather, trace
from polylens.devices import exact_float32
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import PADDING, CodeLayer, Codes, CodeScheme, Rows

_BATCH = 16
"""Examples of one pass."""


def layer_codes(rows: Rows, probed: Probed, layers: Sequence[str], *, progress: Progress) -> dict[str, Codes]:
    """The regimes of each layer's own units at the rows, by one pass over their examples.

    Where rows are positions, units are those at the row's own position; else those of the whole example.

    Raises:
        UsageError: there is no such layer.
        DataError: a layer has no units of its own, or not on the rows' positions.
    """
    if not layers:
        return {}
    network = probed.network
    example = network.example_input
    example = probed.examples.batch([0]) if example is None else example
    device = _device(network.module)
    flow = trace(network.module, example.to(device), aliases=network.aliases)
    units = {layer: _own_units(flow, layer, grid=rows.origins.grid) for layer in layers}
    bits = _read(rows, probed, {item.name: item for of in units.values() for item in of}, progress, device)
    return {layer: _codes(layer, of, bits, rows) for layer, of in units.items()}


def _own_units(flow: Flow, layer: str, *, grid: tuple[int, ...]) -> tuple[Nonlinearity, ...]:
    name = flow.resolve(layer)
    units = tuple(item for item in flow.own(name) if item.role == "units")
    if not units:
        raise DataError(
            f"layer '{layer}' has no units of its own, so there is no code to compare",
            hint="name layers whose output is that of nonlinearities, or what one of them reads",
        )
    elsewhere = [item.shape.grid for item in units if grid and len(item.shape.grid) != len(grid)]
    same = all(item.shape.grid == grid or len(grid) == 1 for item in units)
    if elsewhere or (grid and not same):
        raise DataError(
            f"layer '{layer}' has other positions than the rows, so their codes cannot be compared",
            hint="name layers on the same grid, or take whole examples (positions: all)",
        )
    return units


def _read(
    rows: Rows,
    probed: Probed,
    units: Mapping[str, Nonlinearity],
    progress: Progress,
    device: torch.device | str,
) -> dict[str, np.ndarray]:
    """The packed bits of each nonlinearity at each row."""
    origins = rows.origins
    examples = np.unique(origins.example)
    lengths = probed.examples.lengths()
    if lengths is not None:
        examples = examples[np.argsort(lengths[examples], kind="stable")]
    packed: dict[str, np.ndarray] = {}
    with progress.task("reading codes", total=len(examples), unit="examples") as task:
        for start in range(0, len(examples), _BATCH):
            batch = examples[start : start + _BATCH]
            own = np.flatnonzero(np.isin(origins.example, batch))
            example_of = np.argsort(batch)[np.searchsorted(np.sort(batch), origins.example[own])]
            positions = torch.from_numpy(origins.position[own]) if origins.grid else None
            of_row = torch.from_numpy(example_of.astype(np.int64))

            def take(item: str | Nonlinearity, tensor: torch.Tensor, own: np.ndarray = own) -> None:
                assert isinstance(item, Nonlinearity)
                values = gather(tensor, item.shape, positions, of_row)  # noqa: B023
                sides = torch.stack([values > kink for kink in item.kinks], dim=2).flatten(1)
                bits = np.packbits(sides.cpu().numpy(), axis=1)
                if item.name not in packed:
                    packed[item.name] = np.zeros((len(rows), bits.shape[1]), dtype=np.uint8)
                packed[item.name][own] = bits

            inputs = _inputs(probed, batch.tolist(), origins.position[own] if origins.grid else None)
            with torch.no_grad(), exact_float32():
                capture(
                    probed.network.module,
                    inputs.to(device),
                    layers=(),
                    nonlinearities=tuple(units.values()),
                    take=take,
                )
            task.advance(len(batch))
    return packed


def _inputs(probed: Probed, batch: list[int], positions: np.ndarray | None) -> torch.Tensor:
    """The inputs of a batch; of a causal network up to the last position, where nothing later counts."""
    inputs = probed.examples.batch(batch)
    if positions is None or not probed.network.is_causal:
        return inputs
    inputs = inputs[:, : int(positions.max()) + 1]
    return inputs.masked_fill(inputs == PADDING, 0)


def _codes(layer: str, units: tuple[Nonlinearity, ...], bits: Mapping[str, np.ndarray], rows: Rows) -> Codes:
    layers = tuple(
        CodeLayer(
            item.name,
            units=item.shape.width if rows.origins.grid else item.shape.size,
            bits_per_unit=len(item.kinks),
        )
        for item in units
    )
    scheme = CodeScheme(layers, names_polytopes=False, reason=f"own units of '{layer}' alone")
    return Codes(np.concatenate([bits[item.name] for item in units], axis=1), scheme)


def _device(module: torch.nn.Module) -> torch.device | str:
    first = next(module.parameters(), None)
    return "cpu" if first is None else first.device
