"""How much of smooth units' output their hard form explains, from sums that batches and shards add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64

from polylens.dataflow import Nonlinearity, Selection
from polylens.records import Explained

_CACHED = 1 << 18
"""Numbers taken together on a CPU, few enough to stay in its caches: five times as fast."""
_CONSTANT = 1e-12
"""Share of a unit's mean square below which its variance is rounding."""


def output_sums(
    nonlinearity: Nonlinearity,
    values: Float[torch.Tensor, "rows units"],
    factor: Float[torch.Tensor, "rows units"] | None = None,
) -> Float64[torch.Tensor, "3 units"]:
    """Sums over rows, in double precision: outputs, their squares, and squared errors of their hard form.

    Args:
        nonlinearity: whose units these are, with a function that rectifies.
        values: pre-activations.
        factor: what the units multiply; the products are then the outputs.
    """
    if nonlinearity.function is None:
        raise AssertionError("only units with a known function are looked at")
    if values.device.type == "mps":
        values, factor = values.cpu(), None if factor is None else factor.cpu()  # it has no double precision
    rows = max(_CACHED // max(values.shape[1], 1), 1) if values.device.type == "cpu" else max(len(values), 1)
    sums = torch.zeros(3, values.shape[1], dtype=torch.float64, device=values.device)
    for start in range(0, len(values), rows):
        some = values[start : start + rows]
        output, hard = nonlinearity.function.value(some).double(), torch.relu(some).double()
        if factor is not None:
            output, hard = output * factor[start : start + rows], hard * factor[start : start + rows]
        sums += torch.stack([output.sum(0), output.square().sum(0), (output - hard).square().sum(0)])
    return sums


def added_up(
    batches: Sequence[Float64[torch.Tensor, "3 units"] | None],
) -> Float64[np.ndarray, "3 units"]:
    """The sums of several batches together; of no units where none are looked at."""
    found = [sums for sums in batches if sums is not None]
    if not found:
        return np.zeros((3, 0))
    return np.asarray(torch.stack(found).sum(0).cpu().numpy())


def explained_by(
    sums: Float64[np.ndarray, "3 units"], *, n_rows: int, selection: Selection
) -> Explained | None:
    """The explained variance of all rows; None where no unit varies, or numbers are not finite.

    Args:
        sums: of `output_sums`, over all rows; units in the order of `selection.approximated`.
        n_rows: how many rows were added up.
        selection: whose units these are.
    """
    # Before anything is computed: whether `inf - inf` warns depends on the processor.
    if not np.isfinite(sums).all():
        return None
    total, squares, errors = sums
    spread = squares - total**2 / max(n_rows, 1)
    varying = spread > _CONSTANT * squares
    if not varying.any():
        return None
    units = {layer.name: layer.units for layer in selection.scheme.layers}
    return Explained(
        variance=float(1 - errors.sum() / spread[varying].sum()),
        median_unit_variance=float(np.median(1 - errors[varying] / spread[varying])),
        units=sum(units[item.name] for item in selection.approximated),
        products=sum(units[item.name] for item in selection.approximated if item.name in selection.factors),
    )
