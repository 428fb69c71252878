"""Products of matrices in bfloat16, where the processor has instructions for them.

A bfloat16 has the range of single precision and 8 bits of mantissa, and twice as many of them are multiplied
at once. Sums are kept in single precision, and rounded to bfloat16 in the end. Bounds have that to spare
where rows are compared from their mean, and few directions hold most of their variance.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

COARSE_ROW = 2.0**-9
"""What a row rounded to bfloat16 is off by at most, as a share of its length."""
COARSE_PRODUCT = 2.0**-8
"""What a product rounded to bfloat16 is off by, as a share: twice the most that rounding to nearest takes."""
_ROWS = 128
"""Rows that blocks are whole multiples of."""


def coarse_products(
    left: Float32[np.ndarray, "left width"], right: Float32[np.ndarray, "right width"]
) -> Float32[np.ndarray, "left right"]:
    """Products of the rows of two blocks, all rounded to bfloat16 before and after.

    Blocks are filled up to whole hundreds of rows, as torch makes and keeps machine code for each new shape.
    """
    import torch

    sides = []
    for block in (left, right):
        side = torch.zeros(-(-len(block) // _ROWS) * _ROWS, block.shape[1], dtype=torch.bfloat16)
        side[: len(block)] = torch.from_numpy(block)
        sides.append(side)
    products = torch.mm(sides[0], sides[1].T)[: len(left), : len(right)]
    return np.asarray(products.float().contiguous().numpy())
