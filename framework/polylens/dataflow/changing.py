"""Forward passes in which one layer's tensor is changed, whole or at one position.

1. A few passes are made in two ways: with each example repeated from the start, and with each example
   computed once up to the layer and repeated there. If all that is read agrees but for rounding, the second
   way is taken from there on, and else the first.
2. When the layer's module ends, its tensor is repeated for the passes and changed (`editing`). Where norms
   are held, each pass then divides by the scale that its baseline has (`norms`).
3. Where logits of one token are wanted, the last dense layer is handed that token alone.
4. What is to be read is caught on the way (`capturing`), one row a pass.

Invariant: a pass whose change changes nothing reads what the plain network gives, up to rounding.

Cost: the network from the layer on for every pass, and up to the layer once for every example or every
pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Shaped

from polylens.dataflow.capturing import capture
from polylens.dataflow.editing import Change, Passes, edit_at, edit_passes
from polylens.dataflow.flow import INPUT, OUTPUT, Flow
from polylens.dataflow.nonlinearities import Nonlinearity
from polylens.dataflow.norms import Frozen, norms
from polylens.dataflow.shapes import LayerShape
from polylens.dataflow.watch import pause_watches
from polylens.errors import UsageError

_TRIED = 4
"""Passes by which it is found out whether examples can be computed once up to the layer."""
_ROUNDING = 1e-4
"""Difference that rounding may make between two ways to compute, as a share of the largest number."""


@dataclass(frozen=True)
class Passed:
    """What was read: one row a pass."""

    layers: Mapping[str, Float[torch.Tensor, "passes _"]]
    read: Mapping[str, Shaped[torch.Tensor, "passes _"]]
    """By nonlinearity: pre-activations, or the winners of a pool's windows."""
    output: Float[torch.Tensor, "passes numbers"]

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All of them."""
        return (*self.layers.values(), *self.read.values(), self.output)


class Changing:
    """Runs a network again and again with one layer's tensor changed, and reads what follows.

    Where it makes no difference (tried on the first passes), each example is computed once up to the layer,
    and only from there on as many times as it has passes. A token's logits are computed for that token alone.

    Args:
        module: in eval mode.
        flow: of the module.
        layer: whose tensor is changed, as `Flow.layers` has it; `input` for the network's input.
        layers: later layers that are read.
        nonlinearities: later ones whose pre-activations are read.

    Raises:
        UsageError: the layer's values are no floating-point numbers, or the output does not follow from it.

    >>> from polylens.dataflow.tracing import trace
    >>> network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).eval()
    >>> changing = Changing(network, trace(network, torch.zeros(1, 2)), "1")
    >>> twice = Passes(torch.tensor([0, 0]))
    >>> changing.run(torch.zeros(1, 2), twice, lambda values: values * 2).output.shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        module: torch.nn.Module,
        flow: Flow,
        layer: str,
        *,
        layers: Collection[str] = (),
        nonlinearities: Collection[Nonlinearity] = (),
    ) -> None:
        flow.between(layer, OUTPUT)
        if flow.layers[layer].order:
            raise UsageError(
                f"'{layer}' cannot be changed: its axes are in another order than those of images and texts",
                hint="take a layer before or after it, such as the module that holds it",
            )
        self._module = module
        self._flow = flow
        self._layer = layer
        self._shape = flow.layers[layer]
        self._layers = tuple(dict.fromkeys([*layers, OUTPUT]))
        self._nonlinearities = tuple(nonlinearities)
        self._norms = norms(module)
        self._fans_out: dict[bool, bool] = {}
        self._head = _head(module, flow)

    def run(self, inputs: Shaped[torch.Tensor, "examples ..."], passes: Passes, change: Change) -> Passed:
        """What later tensors are in each pass.

        Args:
            inputs: a batch of examples without padding, on the network's device.
            passes: over them.
            change: of the layer's values in all passes.

        Raises:
            UsageError: the layer is the network's input, and that is tokens.
        """
        if self._layer == INPUT and not inputs.is_floating_point():
            raise UsageError(
                "token ids cannot be changed by amounts", hint="take a layer of the network, not its input"
            )
        several = len(inputs) > 1
        if several not in self._fans_out:
            self._fans_out[several] = self._fans_out_alike(inputs, passes)
        return self._run(inputs, passes, change, fans_out=self._fans_out[several])

    def _fans_out_alike(self, inputs: torch.Tensor, passes: Passes) -> bool:
        """Whether the examples can be computed once up to the layer."""
        if self._layer == INPUT or any(self._flow.layers[name].flattened for name in self._flow.layers):
            return False
        # As many passes as examples would hide that the network goes by the number of examples.
        tried = _TRIED + (len(inputs) == _TRIED)
        few = passes.take(torch.linspace(0, len(passes) - 1, tried).long())

        # A change of its own for each pass: rows that were exchanged would show.
        def slightly(values: torch.Tensor) -> torch.Tensor:
            return (
                values
                * torch.linspace(1, 1.1, len(values), dtype=values.dtype, device=values.device)[:, None, None]
            )

        plain = self._run(inputs, few, slightly, fans_out=False).tensors()
        try:
            fanned = self._run(inputs, few, slightly, fans_out=True).tensors()
        # A network that keeps the number of examples fails in its own ways when there are more.
        except (RuntimeError, UsageError, IndexError):
            return False
        return all(_agree(*pair) for pair in zip(plain, fanned, strict=True))

    def _run(self, inputs: torch.Tensor, passes: Passes, change: Change, *, fans_out: bool) -> Passed:
        layers: dict[str, torch.Tensor] = {}
        read: dict[str, torch.Tensor] = {}
        there = {layer: self._flow.layers[layer] for layer in self._layers}

        def take(source: str | Nonlinearity, tensor: torch.Tensor) -> None:
            if isinstance(source, str):
                layers[source] = _read(tensor, there[source], passes.token)
            else:
                read[source.name] = _read(tensor, source.shape, passes.token)

        if not fans_out:
            inputs = inputs[passes.example]
            passes = replace(passes, example=torch.arange(len(passes)))
        if self._layer == INPUT:
            inputs = edit_passes(
                inputs, shape=self._shape, passes=passes, change=change, n_examples=len(inputs)
            )
        with torch.no_grad(), ExitStack() as stack:
            started = self._freeze_norms(passes, stack)
            if self._layer == INPUT:
                started()
            else:
                edit = partial(
                    edit_passes, shape=self._shape, passes=passes, change=change, n_examples=len(inputs)
                )
                stack.enter_context(edit_at(self._module, self._layer, edit, started=started))
            if self._head is not None and passes.token is not None:
                stack.enter_context(_read_at(self._head, passes.token))
            capture(
                self._module,
                inputs,
                layers=self._layers,
                nonlinearities=self._nonlinearities,
                take=take,
                shapes=there,
            )
        output = layers.pop(OUTPUT)
        return Passed(layers, read, output)

    def _freeze_norms(self, passes: Passes, stack: ExitStack) -> Callable[[], None]:
        """Holds the norms where that is asked for; gives what is to be called once the layer is passed."""
        if passes.baseline is None:
            return _nothing
        frozen = Frozen(self._module, self._norms, passes.baseline)
        stack.enter_context(frozen.hold())
        return frozen.start


def _read(
    tensor: torch.Tensor, shape: LayerShape, token: torch.Tensor | None
) -> Shaped[torch.Tensor, "passes numbers"]:
    """The tensor's row of each pass: of its token, or the whole one."""
    if token is not None and len(shape.grid) == 1 and not shape.channels_first and tensor.dim() == 3:
        # Behind the head there is but the one token that it was handed.
        at = token.to(tensor.device) if tensor.shape[1] > 1 else torch.zeros_like(token)
        return tensor[torch.arange(len(tensor), device=tensor.device), at.to(tensor.device)]
    return tensor.flatten(1).clone()


def _head(module: torch.nn.Module, flow: Flow) -> torch.nn.Module | None:
    """The last dense layer over tokens, whose output is the network's: it can be computed for one token."""
    content, shape = flow.contents[OUTPUT], flow.layers[OUTPUT]
    if len(shape.grid) != 1 or shape.channels_first:
        return None
    for name, part in module.named_modules():
        is_output = name in flow.contents and flow.contents[name].same_values(content)
        if is_output and isinstance(part, torch.nn.Linear):
            return part
    return None


@contextmanager
def _read_at(head: torch.nn.Module, token: torch.Tensor) -> Iterator[None]:
    """Inside, the head reads one token a pass."""

    def enter(part: torch.nn.Module, args: Any) -> Any:
        with pause_watches():
            (states,) = args
            every = torch.arange(len(states), device=states.device)
            return (states[every, token.to(states.device)].unsqueeze(1),)

    handle = head.register_forward_pre_hook(enter)
    try:
        yield
    finally:
        handle.remove()


def _agree(plain: torch.Tensor, fanned: torch.Tensor) -> bool:
    """Whether two tensors are equal but for rounding; of winners one in a thousand may differ by a tie."""
    if plain.shape != fanned.shape:
        return False
    if not plain.is_floating_point():
        return bool((plain != fanned).sum() <= 1e-3 * plain.numel())
    return bool((plain - fanned).abs().max() <= _ROUNDING * plain.abs().max()) if plain.numel() else True


def _nothing() -> None:
    pass
