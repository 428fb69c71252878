"""The rows that the forward pass gives for one batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64, Shaped


@dataclass(frozen=True)
class Collected:
    """The rows that one batch gives one take, still on the device."""

    values: Shaped[torch.Tensor, "rows width"]
    """Activations or graded codes in 32 bits, or packed codes."""
    n_near: Int64[torch.Tensor, ""]
    """Units within the numerical noise of a kink, still on the device: reading it would wait for the pass."""
    n_units: int
    """Units that were looked at for it."""
    undefined: Bool[torch.Tensor, "rows"]
    """Rows that hold NaN or infinity, or codes of NaN, still on the device."""
    sums: Float64[torch.Tensor, "3 units"] | None = None
    """Sums (`output_sums`) over the output of units that a hard code only approximates; None without such."""
