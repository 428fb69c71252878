"""Calls of nonlinearities whose regimes cannot be told, and why.

They are told only if the first axis counts examples (so that every unit belongs to one), if kinks are fixed
numbers, if nothing but the input itself depends on the input, and if no window goes over several examples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from polylens.dataflow import operations, regimes
from polylens.dataflow.winners import ADAPTIVE, SLIDING, reduced_axes


def why_not_a_site(
    operation: str,
    arguments: operations.Arguments,
    *,
    depends: Callable[[Any], bool],
    is_flattened: bool,
) -> str | None:
    """Why the regimes of this call cannot be told; None where they can.

    Args:
        operation: PyTorch's name of it, such as `relu`.
        arguments: of the call, by name; `self` is what the nonlinearity is of.
        depends: whether an argument depends on the network's input.
        is_flattened: whether the first axis counts examples and positions together.
    """
    spoken = operations.operation_in_words(operation)
    source: torch.Tensor = arguments["self"]
    is_pool = regimes.is_pool(operation)
    if source.dim() == 0 or (source.shape[0] != 1 and (is_pool or not is_flattened)):
        return f"{spoken} of a tensor whose first axis does not count examples"
    if not is_pool:
        if regimes.regimes(operation, arguments) is None:
            return f"{spoken} at bounds that are not fixed numbers"
        if depends(arguments.get("weight")):
            return f"{spoken} with weights that depend on the input"
        return None
    if operation in SLIDING or operation in ADAPTIVE:
        return None
    over_examples = "dim" not in arguments or 0 in reduced_axes(arguments)
    return f"{spoken} over the axis of examples" if over_examples else None
