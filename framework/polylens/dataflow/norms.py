"""Norms that divide each position by its own scale, and how that scale is held where it was.

1. Norms are known by their classes and names (`norm_kind`).
2. Of each pass the scale that the norm divides by is worked out from what it reads: a root mean square, for
   layer norms after the mean is taken away.
3. What the norm gives, without its bias, is multiplied by its own scale and divided by the one that its
   baseline has in this batch (`Frozen`).

Invariant: a pass that is its own baseline is left as it was, but for rounding.

Cost: a few operations on each norm's tensor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64

from polylens.dataflow.watch import pause_watches

_EPSILONS = ("eps", "variance_epsilon", "epsilon")


def norm_kind(module: torch.nn.Module) -> Literal["layer", "root_mean_square"] | None:
    """Whether a module is a layer norm or a root-mean-square norm; None for all others.

    >>> norm_kind(torch.nn.LayerNorm(3)), norm_kind(torch.nn.BatchNorm1d(3))
    ('layer', None)
    """
    name = type(module).__name__
    # T5's layer norm subtracts no mean.
    if isinstance(module, torch.nn.RMSNorm) or "RMSNorm" in name or name == "T5LayerNorm":
        return "root_mean_square"
    return "layer" if isinstance(module, torch.nn.LayerNorm) or name.endswith("LayerNorm") else None


def norms(module: torch.nn.Module) -> tuple[str, ...]:
    """Paths of the module's layer norms and root-mean-square norms."""
    return tuple(path for path, part in module.named_modules() if norm_kind(part) is not None)


def without_biases(module: torch.nn.Module) -> torch.nn.Module:
    """The given module, changed in place: everything that it adds to what depends on its input is zero.

    Biases of all its parts, and the means that batch norms subtract. Embeddings stay, which are no biases.

    >>> network = without_biases(torch.nn.Linear(2, 2))
    >>> network.bias.tolist()
    [0.0, 0.0]
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name.rpartition(".")[2].endswith("bias"):
                parameter.zero_()
        for part in module.modules():
            if isinstance(part, torch.nn.modules.batchnorm._BatchNorm) and part.running_mean is not None:
                part.running_mean.zero_()
    return module


class Frozen:
    """Holds norms at the scale that they have in other passes of the same batch."""

    def __init__(
        self,
        module: torch.nn.Module,
        paths: Collection[str],
        baseline: Int64[torch.Tensor, "passes"],
    ) -> None:
        self._parts = [module.get_submodule(path) for path in paths]
        self._baseline = baseline
        self._started = False

    def start(self) -> None:
        """From here on norms are held; before, all passes of an example are equal."""
        self._started = True

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Inside, the norms divide each pass by the scale that its baseline has there."""
        handles = [part.register_forward_hook(self._leave) for part in self._parts]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _leave(self, part: torch.nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor | None:
        if not self._started or len(args[0]) != len(self._baseline):
            return None
        with pause_watches():
            scale = _scale(part, args[0])
            bias = getattr(part, "bias", None)
            shift = torch.zeros_like(output) if bias is None else bias
            # What comes out of the norm is a share of its own scale: taken back, and divided by the other's.
            return (output - shift) * (scale / scale[self._baseline.to(scale.device)]) + shift


def _scale(part: torch.nn.Module, values: Float[torch.Tensor, "..."]) -> Float[torch.Tensor, "..."]:
    epsilon = next((value for name in _EPSILONS if (value := getattr(part, name, None)) is not None), 0.0)
    if norm_kind(part) == "layer":
        values = values - values.mean(dim=-1, keepdim=True)
    return (values.square().mean(dim=-1, keepdim=True) + float(epsilon)).sqrt()
