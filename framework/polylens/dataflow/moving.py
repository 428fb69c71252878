"""Operations that only move elements: they move ids of values instead of making new ones.

1. The call's tensors of values are replaced by tensors of their ids; constants become 0, which is the id of
   what does not depend on the input.
2. The operation itself is run on the ids, on the CPU. What comes out says, element by element, what was
   moved where.
3. A copy is told by its arguments alone, as it may change the type: from one floating-point type to another
   values are taken for the same, between integers and floating point they are not.

Invariant: an operation moves only if nothing that steers it (an index, a condition) depends on the input.

Cost: the operation once more, on as many elements.
"""

from __future__ import annotations

from typing import Any

import torch

from polylens.dataflow.memory import Ids, Memory
from polylens.dataflow.operations import COPIES, REARRANGEMENTS, Arguments, canonical, tensors


def moved_ids(memory: Memory, function: torch._ops.OpOverload, arguments: Arguments) -> Ids | None:
    """The ids of the result of a call that only moves elements or puts constants beside them; else None.

    The operation itself is run on the ids, so the result is right for every rearrangement there is.
    """
    operation = canonical(function)
    if any(memory.reads_as_other_type(tensor) for value in arguments.values() for tensor in tensors(value)):
        return None
    if operation in COPIES:
        return _ids_of_copy(memory, arguments)
    moving = REARRANGEMENTS.get(operation)
    if moving is None or arguments.get("accumulate"):
        return None
    steering = (value for name, value in arguments.items() if name not in moving)
    if any(memory.steps(tensor) for value in steering for tensor in tensors(value)):
        return None
    by_name = {
        name: _ids(memory, value) if name in moving else _on_cpu(value) for name, value in arguments.items()
    }
    names = [argument.name for argument in function._schema.arguments if not argument.kwarg_only]
    # Doubles hold every id exactly, and every kernel takes them.
    moved: torch.Tensor = function(*(by_name[name] for name in names))
    return moved.to(torch.int64)


def _ids_of_copy(memory: Memory, arguments: Arguments) -> Ids | None:
    if "src" in arguments:
        source, target = arguments["src"], arguments["self"]
        # Numbers cut to integers, or a condition made a number, are other values than before.
        same_kind = source.is_floating_point() == target.is_floating_point()
        return memory.ids(source).expand(target.shape) if same_kind else None
    source = arguments["self"]
    dtype = arguments.get("dtype")
    if dtype is not None and dtype.is_floating_point != source.is_floating_point():
        return None
    return memory.ids(source)


def _ids(memory: Memory, value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return memory.ids(value).to(torch.float64)
    if isinstance(value, tuple | list):
        return [_ids(memory, item) for item in value]
    return 0.0


def _on_cpu(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, tuple | list):
        return [_on_cpu(item) for item in value]
    return value
