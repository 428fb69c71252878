"""One layer's tensor in a forward pass, edited before anything reads it.

1. A hook waits for the call of the module that the layer is (`relu#2` is its second).
2. What the module gives is taken apart down to its first tensor, which is edited, and put together again in
   the form that it had.
3. For passes, rows are copied by each pass' example, and the values at each pass' position, or all, are
   replaced by what the change gives (`edit_passes`).

Invariant: the module's own tensor is never written to. Cost: memory for one copy of the tensor a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64

from polylens.dataflow.shapes import LayerShape
from polylens.dataflow.watch import pause_watches

Change = Callable[[Float[torch.Tensor, "passes parts width"]], Float[torch.Tensor, "passes parts width"]]
"""Gives the new values of each pass. Parts are the tokens where a layer of tokens is changed as a whole; else
there is one, of all numbers of the example or of all channels at the position."""


@dataclass(frozen=True)
class Passes:
    """Passes over a batch of examples, several of one example as a rule."""

    example: Int64[torch.Tensor, "passes"]
    """Index of each pass' example in the batch."""
    position: Int64[torch.Tensor, "passes"] | None = None
    """Position that is changed, flat in row-major order; None where the whole tensor is."""
    token: Int64[torch.Tensor, "passes"] | None = None
    """Token at which later tensors of tokens are read; None where they are read as wholes."""
    baseline: Int64[torch.Tensor, "passes"] | None = None
    """The pass whose scales each pass' norms are held at; None where they are not held."""

    def __len__(self) -> int:
        return len(self.example)

    def take(self, index: Int64[torch.Tensor, "chosen"]) -> Passes:
        """The passes of these indices, each the baseline of its own norms."""
        position = None if self.position is None else self.position[index]
        token = None if self.token is None else self.token[index]
        baseline = None if self.baseline is None else torch.arange(len(index))
        return Passes(self.example[index], position, token, baseline)


@contextmanager
def edit_at(
    module: torch.nn.Module,
    layer: str,
    edit: Callable[[torch.Tensor], torch.Tensor],
    *,
    started: Callable[[], None],
) -> Iterator[None]:
    """Inside, a forward pass goes on with the edited tensor of the layer."""
    path, _, number = layer.partition("#")
    calls = 0

    def leave(part: torch.nn.Module, args: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != int(number or 1):
            return None
        with pause_watches():
            edited = _with_first_tensor(output, edit)
        started()
        return edited

    handle = module.get_submodule(path).register_forward_hook(leave)
    try:
        yield
    finally:
        handle.remove()


def edit_passes(
    tensor: torch.Tensor, *, shape: LayerShape, passes: Passes, change: Change, n_examples: int
) -> torch.Tensor:
    """A copy of the layer's tensor, one example a pass, with the changed values in their places."""
    stacked = tensor.reshape(n_examples, -1, tensor.shape[-1]) if shape.flattened else tensor
    device = tensor.device
    # Indexing copies: what the network keeps of its own tensor stays as it is.
    new = stacked[passes.example.to(device)].contiguous()
    every = torch.arange(len(new), device=device)
    if passes.position is None:
        # Tokens are changed each alone; anything else as one vector.
        of_tokens = len(shape.grid) == 1 and not shape.channels_first
        parts = new if of_tokens else new.flatten(1).unsqueeze(1)
        new = change(parts).reshape(new.shape)
    else:
        position = passes.position.to(device)
        if shape.channels_first:
            flat = new.flatten(2)
            flat[every, :, position] = change(flat[every, :, position].unsqueeze(1)).squeeze(1)
            new = flat.reshape(new.shape)
        else:
            new[every, position] = change(new[every, position].unsqueeze(1)).squeeze(1)
    return new.reshape(-1, *tensor.shape[1:]) if shape.flattened else new


def _with_first_tensor(output: Any, edit: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The output with its first tensor edited, in the form that it has."""
    if isinstance(output, torch.Tensor):
        return edit(output)
    if isinstance(output, Mapping):
        name = next(iter(output))
        # In place: the class of such a map is the network's, and need not take others' values.
        output[name] = _with_first_tensor(output[name], edit)  # type: ignore[index]
        return output
    first, *others = output
    return type(output)([_with_first_tensor(first, edit), *others])
