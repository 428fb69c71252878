"""Recording a tape: two watched forward passes, which must differ in nothing but the number of examples.

1. The data flow is traced, which says at which calls (sites) nonlinearities are.
2. The network is run on 2 examples, and on the same 2 and a third one, inside `functionalize`, so that
   nothing is written in place. Every operation on what depends on the input is noted.
3. Both passes must call the same operations. An integer that differs must be a multiple of the number of
   examples, a constant that differs one example's share repeated.
4. Of each tensor that is read later, the axis that counts examples is told by its extent, and proven by the
   values of the two examples that both passes have.
5. Each pair of calls becomes a step of the tape: tensors are numbers of values, integers that grow are
   multiples, floating-point constants are in double precision.

Invariant: what the tape gives for one point depends on no other point; whatever would break this is refused.

Cost: three forward passes on a few examples; while recording, memory for every tensor of two of them.
Source: decision 0008.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.func import functionalize

from polylens.dataflow import Nonlinearity, Site, first_tensor, trace
from polylens.dataflow import operations as aten
from polylens.dataflow.linearity import why_not_linear
from polylens.dataflow.regimes import is_site
from polylens.dataflow.watch import Watch
from polylens.errors import UsageError
from polylens.geometry.tape import Constant, Layout, PerExample, Reference, Tape, TapeStep

_FEW, _MORE = 2, 3
"""Examples of the two passes. Numbers without a common divisor, so that every product shows its factor."""

_VIEWS = frozenset(
    {"view", "_unsafe_view", "_reshape_alias", "permute", "transpose", "t", "slice", "select", "squeeze"}
    | {"unsqueeze", "expand", "split", "split_with_sizes", "unbind", "alias", "detach", "diagonal", "unfold"}
    | {"contiguous", "movedim", "flatten", "lift_fresh", "numpy_T"}
)
"""Operations whose result shows elements of what they read. Those that also name strides are left out."""

_MERGED = "whose first axis does not count the examples and nothing else: its units cannot be told by example"

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
    examples = _variations(example_input[:1].detach(), _MORE)
    few = _record_pass(module, examples[:_FEW].clone(), sites)
    more = _record_pass(module, examples.clone(), sites)
    return _Merging(few, more).tape(example_input.device)


def _variations(example: torch.Tensor, count: int) -> torch.Tensor:
    """Examples that differ, so that one cannot stand for another."""
    repeated = example.repeat(count, *[1] * (example.dim() - 1))
    if not example.is_floating_point():
        return repeated
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(repeated.shape, generator=generator, dtype=torch.float64)
    return repeated + noise.to(repeated) * 0.1 * (1 + example.abs().mean())


@dataclass(eq=False)
class _Call:
    function: torch._ops.OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: list[torch.Tensor]
    nonlinearity: Nonlinearity | None
    obstacle: str


@dataclass(eq=False)
class _Pass:
    """One forward pass: tensors that depend on the input have numbers, in the order they appeared."""

    calls: list[_Call] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)
    values: list[torch.Tensor] = field(default_factory=list)
    """Kept alive, so that no other tensor is taken for one of them."""
    numbers: dict[int, int] = field(default_factory=dict)

    def number(self, tensor: torch.Tensor) -> int | None:
        return self.numbers.get(id(tensor))

    def add(self, tensor: torch.Tensor) -> None:
        if id(tensor) not in self.numbers:
            self.numbers[id(tensor)] = len(self.values)
            self.values.append(tensor)

    def depends(self, value: Any) -> bool:
        return any(self.number(tensor) is not None for tensor in aten.tensors(value))


def _record_pass(module: torch.nn.Module, inputs: torch.Tensor, sites: dict[Site, Nonlinearity]) -> _Pass:
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
        self.seen = _Pass()
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
        self.seen.calls.append(_Call(function, args, kwargs, results, nonlinearity, obstacle))
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
            return f"{aten.operation_in_words(operation)} {where} works on a tensor {_MERGED}"
        return "" if what is None else f"{what} {where} is not piecewise linear"

    def _counts_examples(self, source: torch.Tensor) -> bool:
        return source.dim() > 0 and source.shape[0] == self.seen.values[0].shape[0]


class _Merging:
    """The tape that two passes agree on."""

    def __init__(self, few: _Pass, more: _Pass) -> None:
        self._few, self._more = few, more
        self._constants: dict[int, Constant] = {}
        if [call.function for call in few.calls] != [call.function for call in more.calls]:
            raise UsageError("the network computes other steps for another number of examples")

    def tape(self, device: torch.device) -> Tape:
        pairs = list(zip(self._few.calls, self._more.calls, strict=True))
        read = {value for few, _ in pairs for value in self._numbers([*few.args, *few.kwargs.values()])}
        # What nothing reads and no module gives is never stored.
        wanted = read | set(self._few.layers.values())
        layouts = {}
        for number in sorted(wanted):
            layouts[number] = _layout(self._few.values[number], self._more.values[number])
        return Tape(
            steps=tuple(self._step(few, more, layouts) for few, more in pairs),
            layers=self._few.layers,
            layouts=layouts,
            shapes={number: self._shape(number, layout) for number, layout in layouts.items()},
            device=device,
        )

    def _shape(self, number: int, layout: Layout) -> tuple[int, ...]:
        shape = list(self._few.values[number].shape)
        extent = shape.pop(layout.axis) // _FEW
        return tuple(shape) if extent == 1 else (extent, *shape)

    def _step(self, few: _Call, more: _Call, layouts: dict[int, Layout]) -> TapeStep:
        reads = frozenset(self._numbers([*few.args, *few.kwargs.values()]))
        item, obstacle = few.nonlinearity, few.obstacle
        if (
            item is not None
            and item.role == "pool"
            and any(layouts[value] != Layout(0, 1) for value in reads)
        ):
            obstacle = f"{item.operation} at '{item.name}' works on a tensor {_MERGED}"
        numbers = [self._few.number(tensor) for tensor in few.results]
        return TapeStep(
            function=few.function,
            args=self._merge(few.args, more.args),
            kwargs={name: self._merge(value, more.kwargs[name]) for name, value in few.kwargs.items()},
            reads=reads,
            gives=tuple(number if number in layouts else None for number in numbers),
            nonlinearity=item,
            obstacle=obstacle,
        )

    def _numbers(self, value: Any) -> Iterable[int]:
        numbers = (self._few.number(tensor) for tensor in aten.tensors(value))
        return (number for number in numbers if number is not None)

    def _merge(self, few: Any, more: Any) -> Any:
        if isinstance(few, tuple | list):
            return type(few)(self._merge(*pair) for pair in zip(few, more, strict=True))
        if isinstance(few, torch.Tensor):
            number = self._few.number(few)
            if number is not None:
                return Reference(number)
            if id(few) not in self._constants:
                self._constants[id(few)] = _constant(few, more)
            return self._constants[id(few)]
        if isinstance(few, torch.dtype):
            return torch.float64 if few.is_floating_point else few
        # Not `isinstance`: a flag is an int as well, and counts nothing.
        if type(few) is int and few != more:
            factor, rest = divmod(few, _FEW)
            if rest or factor * _MORE != more:
                raise UsageError(
                    f"the network uses the number {few} for {_FEW} examples and {more} for {_MORE}"
                )
            return PerExample(factor)
        return few


def _layout(few: torch.Tensor, more: torch.Tensor) -> Layout:
    """Which axis counts examples, proven by the values of the examples that both passes share."""
    grown = [axis for axis in range(few.dim()) if few.shape[axis] != more.shape[axis]]
    if len(grown) == 1 and few.shape[grown[0]] * _MORE == more.shape[grown[0]] * _FEW:
        layout = Layout(grown[0], few.shape[grown[0]] // _FEW)
        shared, again = layout.rows(few), layout.rows(more)[:_FEW]
        if not shared.is_floating_point():
            return layout
        # Kernels round otherwise for another batch; examples that are mixed differ by far more.
        tolerance = 1e-3 * float(shared.abs().amax()) if shared.numel() else 0.0
        if torch.allclose(shared, again, rtol=0.0, atol=tolerance, equal_nan=True):
            return layout
    raise UsageError(
        f"the network mixes examples: a tensor of shape {tuple(few.shape)} for {_FEW} examples "
        f"is one of shape {tuple(more.shape)} for {_MORE}"
    )


def _constant(few: torch.Tensor, more: torch.Tensor) -> Constant:
    exact = few.detach().clone() if not few.is_floating_point() else few.detach().to(torch.float64, copy=True)
    if few is more or (few.shape == more.shape and torch.equal(few, more)):
        return Constant(exact, repeated=False)
    if few.dim() and len(few) * _MORE == len(more) * _FEW and few.shape[1:] == more.shape[1:]:
        share = len(few) // _FEW
        if torch.equal(more, few[:share].repeat(_MORE, *[1] * (few.dim() - 1))):
            return Constant(exact[:share], repeated=True)
    raise UsageError("the network uses another constant for another number of examples")
