"""What a module does with a few inputs, by which it is known again when nothing else tells of a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import nn

from polylens.digests import digest
from polylens.modules.randomness import with_seed

_NUMBERS = 254
"""Numbers of each output that are kept, evenly over all, beside their mean and root mean square."""
_ROUNDING = 2.0**-16
"""Difference that is rounding, as a share of an output's root mean square: 128 times that of one float32
operation, as kernels of two processors, or for two batch sizes, differ in the order in which they add up.
A network that enlarges it further is taken for another one on the other processor, and its rows are made
anew there."""


@dataclass(frozen=True)
class Behaviour:
    """Outputs of every part of a network on given inputs, in the order in which parts ran."""

    parts: tuple[str, ...]
    """Paths of the parts, once a call; the network itself is the last, with an empty path."""
    numbers: Float64[np.ndarray, "calls 256"]
    """A line for each call: its output's mean, its root mean square, and numbers evenly over it (nan where it
    has fewer)."""
    failure: str = ""
    """What the pass raised; empty where it came to its end."""

    @property
    def digest(self) -> str:
        """A name by every byte."""
        return digest([list(self.parts), self.numbers.astype("<f8").tobytes().hex(), self.failure])

    def agrees(self, other: Behaviour) -> bool:
        """Whether both are of one network, up to rounding."""
        if (self.parts, self.failure) != (
            other.parts,
            other.failure,
        ) or self.numbers.shape != other.numbers.shape:
            return False
        allowed = _ROUNDING * np.nan_to_num(np.maximum(self.numbers[:, 1:2], other.numbers[:, 1:2]))
        same = np.abs(self.numbers - other.numbers) <= allowed
        alike = (self.numbers == other.numbers) | (np.isnan(self.numbers) & np.isnan(other.numbers))
        return bool((same | alike).all())

    def ends_like(self, other: Behaviour) -> bool:
        """Whether both networks give the very same outputs, whatever their parts give."""
        if not (self.parts and other.parts) or self.parts[-1] or other.parts[-1]:
            return False
        return np.array_equal(self.numbers[-1], other.numbers[-1], equal_nan=True)

    def ends_in_zeros(self) -> bool:
        """Whether all that the network gives is zero, which inputs may be that say nothing."""
        return not self.numbers[-1, 1] > 0


def behaviour_of(module: nn.Module, inputs: torch.Tensor) -> Behaviour:
    """What every part of a module gives on inputs.

    Args:
        module: in eval mode; one that nobody else uses, as a pass may change what it holds.
        inputs: a batch of examples.
    """
    parts: list[str] = []
    numbers: list[np.ndarray] = []

    def keep(path: str, output: Any) -> None:
        for tensor in _tensors(output):
            if not torch._C._functorch.is_functorch_wrapped_tensor(tensor):  # has no numbers inside of a vmap
                numbers.append(_summary(tensor))
                parts.append(path)

    handles = [
        part.register_forward_hook(lambda _part, _inputs, output, path=path: keep(path, output))
        for path, part in module.named_modules()
        if path
    ]
    failure = ""
    first = next(module.parameters(), None)
    try:
        with torch.no_grad(), with_seed(0):
            keep("", module(inputs.clone() if first is None else inputs.clone().to(first.device)))
    except Exception as error:  # whoever runs it next says what is wrong with it
        failure = type(error).__name__
    finally:
        for handle in handles:
            handle.remove()
    return Behaviour(tuple(parts), np.array(numbers).reshape(len(parts), _NUMBERS + 2), failure)


def _tensors(output: Any) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, dict):
        output = tuple(output.values())
    return (
        [tensor for item in output for tensor in _tensors(item)] if isinstance(output, (list, tuple)) else []
    )


def _summary(tensor: torch.Tensor) -> np.ndarray:
    flat = tensor.detach().reshape(-1)
    flat = torch.view_as_real(flat.resolve_conj()).reshape(-1) if flat.is_complex() else flat
    kept = np.full(_NUMBERS + 2, np.nan)
    if not flat.numel():
        return kept
    wide = flat.to(torch.float32 if flat.device.type == "mps" else torch.float64)
    kept[:2] = wide.mean().item(), wide.square().mean().sqrt().item()
    chosen = torch.linspace(0, len(wide) - 1, min(_NUMBERS, len(wide))).round().long()
    kept[2 : 2 + len(chosen)] = wide[chosen.to(wide.device)].cpu().numpy()
    return kept
