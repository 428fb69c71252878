"""How much of smooth units' output their hard form explains, from sums that batches and shards add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64

from polylens.dataflow import Nonlinearity, Selection
from polylens.records import Explained
from polylens.statistics import jackknife_limits

_CACHED = 1 << 18
"""Numbers taken together on a CPU, few enough to stay in its caches: five times as fast."""
_MOST_PARTS = 20
"""Parts of the examples whose sums are kept apart."""
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


def sum_of_batches(
    batches: Sequence[Float64[torch.Tensor, "3 units"] | None],
) -> Float64[np.ndarray, "3 units"]:
    """The sums of several batches, added up; an array of no units where no batch has any."""
    known = [sums for sums in batches if sums is not None]
    if not known:
        return np.zeros((3, 0))
    return np.asarray(torch.stack(known).sum(0).cpu().numpy())


class OutputSums:
    """Sums of `output_sums` over all rows, and over up to 20 parts of them, each of whole examples."""

    def __init__(self, *, n_parts: int) -> None:
        self._n_parts = n_parts
        self._parts: list[Float64[np.ndarray, "3 units"]] = []
        self._rows: list[int] = []
        self._added = 0

    def add(self, sums: Float64[np.ndarray, "3 units"], *, n_rows: int) -> None:
        """Adds the sums of the next examples, which have so many rows."""
        part = self._added * _MOST_PARTS // max(self._n_parts, _MOST_PARTS)
        if part == len(self._parts):
            self._parts.append(np.zeros_like(sums))
            self._rows.append(0)
        with np.errstate(invalid="ignore"):  # of `inf` and `-inf`, which `explained_by` has no answer for
            self._parts[part] += sums
        self._rows[part] += n_rows
        self._added += 1

    @property
    def whole(self) -> tuple[Float64[np.ndarray, "3 units"], int]:
        """Sums over all rows, and how many rows there are."""
        with np.errstate(invalid="ignore"):
            sums = np.sum(self._parts, axis=0) if self._parts else np.zeros((3, 0))
        return sums, sum(self._rows)

    def without_each(self) -> list[tuple[Float64[np.ndarray, "3 units"], int]]:
        """For each part that has rows: the sums over all other parts, and their rows. None of one part."""
        sums, n_rows = self.whole
        parts = zip(self._parts, self._rows, strict=True)
        return [(sums - part, n_rows - rows) for part, rows in parts if 0 < rows < n_rows]


def explained_by(sums: OutputSums, *, selection: Selection) -> Explained | None:
    """The explained variance of all rows; None where no unit varies, or numbers are not finite.

    Its limits are a 90 % interval by the jackknife over parts of the examples, with Student's t for as many
    parts. Examples that are sorted, say by class, make it wide, since parts then differ by more than chance.

    Args:
        sums: over all rows; units in the order of `selection.approximated`.
        selection: whose units these are.

    Source: Busing, Meijer, van der Leeden (1999), the jackknife with parts of unequal size.
    """
    whole, n_rows = sums.whole
    overall = _shares(whole, n_rows)
    if overall is None:
        return None
    again = [(_shares(*rest), rest[1]) for rest in sums.without_each()]
    parts = [(shares, n_rows / (n_rows - rows)) for shares, rows in again if shares is not None]
    limits = [
        jackknife_limits(value, [(shares[index], size) for shares, size in parts])
        for index, value in enumerate(overall)
    ]
    units = {layer.name: layer.units for layer in selection.scheme.layers}
    return Explained(
        variance=overall[0],
        median_unit_variance=overall[1],
        units=sum(units[item.name] for item in selection.approximated),
        products=sum(units[item.name] for item in selection.approximated if item.name in selection.factors),
        variance_limits=limits[0],
        median_unit_limits=limits[1],
    )


def _shares(sums: Float64[np.ndarray, "3 units"], n_rows: int) -> tuple[float, float] | None:
    """Explained variance over all units together, and the median over units of each unit's own."""
    # Before anything is computed: whether `inf - inf` warns depends on the processor.
    if not np.isfinite(sums).all():
        return None
    total, squares, errors = sums
    spread = squares - total**2 / max(n_rows, 1)
    varying = spread > _CONSTANT * squares
    if not varying.any():
        return None
    overall = float(1 - errors.sum() / spread[varying].sum())
    return overall, float(np.median(1 - errors[varying] / spread[varying]))
