"""Activation modules that compute one elementwise function by several operations.

GPT-2's GELU, for one, is eight operations, of which a hyperbolic tangent is the only one that is known as a
nonlinearity. Watching takes such a module as one operation on its input, and leaves its arithmetic alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

_LIBRARY = "transformers.activations"
_OPERATIONS: Mapping[str, str] = {
    "GELUActivation": "gelu",
    **dict.fromkeys(
        ("GELUTanh", "NewGELUActivation", "FastGELUActivation", "AccurateGELUActivation"), "gelu_tanh"
    ),
    "QuickGELUActivation": "quick_gelu",
    "ClippedGELUActivation": "clipped_gelu",
    "SiLUActivation": "silu",
    "MishActivation": "mish",
    "ReLUSquaredActivation": "relu_squared",
}
"""The function of each class, by the name of the operation that computes it, or would."""


def composite(module: torch.nn.Module) -> str | None:
    """The elementwise operation that a module as a whole is; None for all others.

    >>> composite(torch.nn.GELU()) is None
    True
    """
    kind = type(module)
    return _OPERATIONS.get(kind.__name__) if kind.__module__ == _LIBRARY else None
