"""Catching chosen tensors of a forward pass, and stopping it after the last one.

1. The pass is watched as when its data flow was found (`watch`), so that sites and calls count alike; of
   operations, only those of the modules with wanted nonlinearities.
2. A layer's tensor is handed over when its module ends, a pre-activation before the nonlinearity runs,
   winners right after the pooling: nothing has been written over by then.
3. Each tensor is brought into the form in which positions and channels are told, and held against the shape
   that it was traced with.
4. After the last one that is missing the pass ends by an exception that no network catches.

Invariants: each wanted tensor is handed over once, in the order of execution; the module is left as it was.

Cost: at most one forward pass, and no memory but what the receiver keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from typing import Any

import torch

from polylens.dataflow import operations, regimes
from polylens.dataflow.flow import INPUT, OUTPUT
from polylens.dataflow.narrowing import Attentions
from polylens.dataflow.nonlinearities import Nonlinearity, Site
from polylens.dataflow.shapes import LayerShape, first_tensor
from polylens.dataflow.watch import Watch
from polylens.dataflow.winners import winners
from polylens.errors import UsageError

Receiver = Callable[[str | Nonlinearity, torch.Tensor], None]


class _AllCaught(BaseException):
    """Ends a forward pass after the last wanted tensor. Not an error: no network is to catch it."""


def capture(
    module: torch.nn.Module,
    inputs: torch.Tensor,
    *,
    layers: Collection[str],
    nonlinearities: Collection[Nonlinearity],
    take: Receiver,
    shapes: Mapping[str, LayerShape] | None = None,
    attentions: Attentions | None = None,
) -> None:
    """Runs the network and hands over each wanted tensor the moment it exists, then stops.

    Gradients, autocast and device are the caller's. A tensor is handed over before anything can overwrite it
    in place, and may be overwritten as soon as `take` returns: take copies what it keeps.

    Args:
        module: in eval mode. It is left as it was, also after an error or an interrupt.
        inputs: a batch of examples.
        layers: names of layers as `Flow.layers` has them; `take` gets the layer's name and its output.
        nonlinearities: of the network's flow; `take` gets the nonlinearity and its pre-activation or, for a
            pool, each window's winner as an index into the window.
        take: what is done with each tensor, in the order of execution.
        shapes: how layers fall into positions and channels, as the flow has them; their tensors are handed
            over in the forms of `LayerShape`, others as the network gives them.
        attentions: counts the pass' attentions; what follows from the one that it narrows is handed over as
            `Narrowed`.

    Raises:
        UsageError: the network did not come by a wanted place, or came by with another shape than when it
            was traced.
    """
    wanted = [*dict.fromkeys(layers), *dict.fromkeys(nonlinearities)]
    if not wanted:
        return
    catching = _Catch(
        layers=frozenset(layers),
        sites={item.site: item for item in nonlinearities},
        take=take,
        shapes=shapes or {},
        inputs=inputs,
    )
    own = inputs.clone()  # a network may change its inputs in place: the caller's stay what they are
    try:
        catching.hand_over(INPUT, inputs)
        sites = {item.site.module for item in nonlinearities}
        with attentions or nullcontext(), catching.watch(module, within=sites):
            output = module(own)
        catching.hand_over(OUTPUT, first_tensor(output))
    except _AllCaught:
        return
    missed = ", ".join(
        sorted(f"'{item if isinstance(item, str) else item.name}'" for item in catching.missing)
    )
    raise UsageError(
        f"the network did not come by {missed}",
        hint="it must compute the same steps for every batch as for the example its data flow was found on",
    )


class _Catch(Watch):  # type: ignore[no-untyped-call]
    def __init__(
        self,
        *,
        layers: frozenset[str],
        sites: dict[Site, Nonlinearity],
        take: Receiver,
        shapes: Mapping[str, LayerShape],
        inputs: torch.Tensor,
    ) -> None:
        super().__init__()
        self._layers = layers
        self._sites_wanted = sites
        self._take = take
        self._shapes = shapes
        self._n_examples, self._n_tokens = len(inputs), inputs.shape[1] if inputs.dim() > 1 else 1
        self.missing: set[str | Nonlinearity] = {*layers, *sites.values()}

    def hand_over(self, item: str | Nonlinearity, tensor: torch.Tensor | None) -> None:
        """Gives a tensor to the taker if it is wanted.

        Raises:
            _AllCaught: it was the last one.
        """
        if item not in self.missing or tensor is None:
            return
        if isinstance(item, str):
            if item in self._shapes:
                tensor = self._arrange(item, tensor, self._shapes[item])
        else:
            tensor = self._arrange(item.name, tensor, item.shape)
        self._take(item, tensor)
        self.missing.discard(item)
        if not self.missing:
            raise _AllCaught

    def _arrange(self, name: str, tensor: torch.Tensor, shape: LayerShape) -> torch.Tensor:
        arranged = shape.arrange(tensor, n_examples=self._n_examples, n_tokens=self._n_tokens)
        if not shape.fits(LayerShape.of(tuple(arranged.shape[1:]))):
            raise UsageError(
                f"'{name}' has the shape {tuple(arranged.shape[1:])} here, but not when traced",
                hint="all examples must have the shape that the network's data flow was found on",
            )
        return arranged

    def on_output(self, name: str, output: Any) -> None:
        if name in self._layers:
            self.hand_over(name, first_tensor(output))

    def before_composite(self, site: Site, source: torch.Tensor) -> None:
        if (item := self._sites_wanted.get(site)) is not None:
            self.hand_over(item, source)

    def on_operation(
        self,
        function: torch._ops.OpOverload,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        site: Site | None,
    ) -> Any:
        item = None if site is None else self._sites_wanted.get(site)
        if item is None or site is None:
            return function(*args, **kwargs)
        arguments = operations.arguments_by_name(function, args, kwargs)
        if item.role == "units":
            self.hand_over(item, regimes.pre_activation(site.operation, arguments))
            return function(*args, **kwargs)
        # The winners are counted within what the pool reads, which nothing has written to yet.
        result = function(*args, **kwargs)
        self.hand_over(item, winners(site.operation, arguments, result))
        return result
