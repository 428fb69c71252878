"""Names that pages use without making them: a small network, and points of its input space."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def given() -> dict[str, Any]:
    """`network` (also `module`) with an `example`, points of its input space, and `corners`."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)).eval()
    starts, ends, (a, b, c) = torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 4)
    return {
        "network": network,
        "module": network,
        "example": torch.randn(1, 4),
        **{"a": a, "b": b, "c": c, "points": starts, "starts": starts, "ends": ends},
        "corners": np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    }
