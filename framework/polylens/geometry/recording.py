"""Recording a tape: two watched forward passes, which must differ in nothing but the number of examples.

1. The data flow is traced, which says at which calls (sites) nonlinearities are.
2. The network is run on 2 examples, and on the same 2 and a third one, inside `functionalize`, so that
   nothing is written in place. Every operation on what depends on the input is noted.
3. The two passes are merged to a tape (`merging`).

Invariant: what the tape gives for one point depends on no other point; whatever would break this is refused.

Cost: three forward passes on a few examples; while recording, memory for every tensor of two of them.
Source: decision 0008.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.func import functionalize

from polylens.dataflow import Nonlinearity, Site, first_tensor, trace
from polylens.dataflow import operations as aten
from polylens.dataflow.linearity import why_not_linear
from polylens.dataflow.regimes import is_site
from polylens.dataflow.watch import Watch
from polylens.errors import UsageError
from polylens.geometry.merging import FEW, MERGED, MORE, Call, Pass, merge_passes
from polylens.geometry.tape import Tape

_VIEWS = frozenset(
    {"view", "_unsafe_view", "_reshape_alias", "permute", "transpose", "t", "slice", "select", "squeeze"}
    | {"unsqueeze", "expand", "split", "split_with_sizes", "unbind", "alias", "detach", "diagonal", "unfold"}
    | {"contiguous", "movedim", "flatten", "lift_fresh", "numpy_T"}
)
"""Operations whose result shows elements of what they read. Those that also name strides are left out."""

_JUMPS = frozenset({"hardshrink", "threshold"})
"""Units that may jump where they change regime: between two breakpoints they are no chords."""


def record(module: torch.nn.Module, example_input: torch.Tensor) -> Tape:
    """The network as a list of operations that can be run on any number of points.

    Operations that write in place are replaced by those that do not (`torch.func.functionalize`). An integer
    that differs between the two passes is taken to count examples, and the values of the examples that both
    passes share must agree: so nothing is taken from one example that belongs to another.

    Args:
        module: in eval mode, on the device of `example_input`. It is left as it was.
        example_input: a batch; its first example is used, changed a little for the others.

    Raises:
        UsageError: the network is in training mode, takes other steps for another number of examples, or
            mixes examples.

    >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)).eval()
    >>> tape = record(network, torch.zeros(1, 2))
    >>> [item.name for item in tape.part("input", "output").nonlinearities]
    ['1']
    """
    if any(part.training for part in module.modules()):
        raise UsageError("the network is in training mode", hint="call its eval() first")
    sites = {item.site: item for item in trace(module, example_input).nonlinearities}
    examples = _variations(example_input[:1].detach(), MORE)
    few = _record_pass(module, examples[:FEW].clone(), sites)
    more = _record_pass(module, examples.clone(), sites)
    return merge_passes(few, more, device=example_input.device)


def _variations(example: torch.Tensor, count: int) -> torch.Tensor:
    """Examples that differ, so that one cannot stand for another."""
    repeated = example.repeat(count, *[1] * (example.dim() - 1))
    if not example.is_floating_point():
        return repeated
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(repeated.shape, generator=generator, dtype=torch.float64)
    return repeated + noise.to(repeated) * 0.1 * (1 + example.abs().mean())


def _record_pass(module: torch.nn.Module, inputs: torch.Tensor, sites: dict[Site, Nonlinearity]) -> Pass:
    recording = _Recording(sites)
    with torch.no_grad():
        recording.seen.add(inputs)
        recording.seen.layers["input"] = 0
        with recording.watch(module):
            output = functionalize(lambda batch: first_tensor(module(batch)))(inputs)
    number = recording.seen.number(output)
    if number is None:
        raise UsageError("the network's output does not depend on its input")
    recording.seen.layers["output"] = number
    return recording.seen


class _Recording(Watch):  # type: ignore[no-untyped-call]
    def __init__(self, sites: dict[Site, Nonlinearity]) -> None:
        super().__init__()
        self.seen = Pass()
        self._sites_known = sites
        self._layer: str | None = None

    def on_output(self, name: str, output: Any) -> None:
        # What a module gives is seen from outside of `functionalize`; a copy of it passes by inside.
        tensor = first_tensor(output)
        if tensor is not None:
            self._layer, self._paused = name, False
            torch.ops.aten.clone.default(tensor)
            self._layer, self._paused = None, True

    def on_operation(
        self,
        function: torch._ops.OpOverload,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        site: Site | None,
    ) -> Any:
        result = function(*args, **kwargs)
        if self._layer is not None:
            number = self.seen.number(args[0])
            if number is not None:
                self.seen.layers[self._layer] = number
            return result
        operation = aten.canonical(function)
        arguments = aten.arguments_by_name(function, args, kwargs)
        if not self.seen.depends(list(arguments.values())) or self._only_reads_the_shape(
            operation, arguments
        ):
            return result
        results = list(aten.tensors(result))
        nonlinearity = None if site is None else self._sites_known.get(site)
        obstacle = "" if nonlinearity is not None else self._obstacle(operation, arguments, site)
        if nonlinearity is not None and nonlinearity.operation in _JUMPS:
            obstacle = f"{nonlinearity.operation} at '{nonlinearity.name}' may jump where it changes regime"
        self.seen.calls.append(Call(function, args, kwargs, results, nonlinearity, obstacle))
        for tensor in results:
            self.seen.add(tensor)
        return result

    def _only_reads_the_shape(self, operation: str, arguments: aten.Arguments) -> bool:
        return operation in aten.CONSTANTS and not self.seen.depends(arguments.get("value"))

    def _obstacle(self, operation: str, arguments: aten.Arguments, site: Site | None) -> str:
        if operation in aten.COPIES or operation in _VIEWS:
            return ""
        moving = aten.REARRANGEMENTS.get(operation)
        if moving is not None and not arguments.get("accumulate"):
            steering = [value for name, value in arguments.items() if name not in moving]
            # What decides where elements go must not depend on the input.
            if not self.seen.depends(steering):
                return ""
        what = why_not_linear(operation, arguments, self.seen.depends)
        where = f"in '{self.stack[-1]}'" if self.stack[-1] else "in the network itself"
        if site is not None and is_site(operation) and not self._counts_examples(arguments["self"]):
            # It may well be piecewise linear: what is missing is whose unit each number is.
            return f"{aten.operation_in_words(operation)} {where} works on a tensor {MERGED}"
        return "" if what is None else f"{what} {where} is not piecewise linear"

    def _counts_examples(self, source: torch.Tensor) -> bool:
        return source.dim() > 0 and source.shape[0] == self.seen.values[0].shape[0]
