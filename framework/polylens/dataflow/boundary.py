"""How many units stand so near a kink that rounding decides their regime.

A sum of products errs by about one rounding of its terms, whose size the root mean square of the row tells.
What lies within eight of these of a kink may be on either side of it: it is counted and shown, and nothing
is changed.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64

_FACTOR = 8.0
"""Roundings allowed for: the error of a sum of products grows slowly with its length."""


def near_boundary(
    values: Float[torch.Tensor, "rows units"],
    *,
    kinks: tuple[float, ...] = (0.0,),
    epsilon: float | None = None,
) -> Int64[torch.Tensor, ""]:
    """How many units have a pre-activation within numerical noise of a kink, counted where the values are.

    Noise is `8 * epsilon * rms`, with the root mean square of the row's own pre-activations, so that the
    number does not depend on which rows stand in one batch. Nothing waits for the device.

    Args:
        values: pre-activations.
        kinks: of the nonlinearity; without any (a pool), nothing is near.
        epsilon: relative rounding error of what computed `values`; by default that of their type. Tensor
            cores that round float32 to TF32 have 2 ** -11.

    >>> near_boundary(torch.tensor([[1e-7, 1.0, -1.0], [1e-5, 1.0, -1.0]])).item()
    1
    """
    if epsilon is None:
        epsilon = torch.finfo(values.dtype).eps
    # Half precision would lose the squares.
    exact = values.detach().to(torch.promote_types(values.dtype, torch.float32))
    noise = _FACTOR * epsilon * exact.square().mean(dim=1, keepdim=True).sqrt()
    near = torch.zeros(exact.shape, dtype=torch.bool, device=exact.device)
    for kink in kinks:
        near |= (exact - kink).abs() < noise
    return near.sum()
