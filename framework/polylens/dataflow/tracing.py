"""Finding the data flow of a network by watching one forward pass.

Every operation of the pass is seen by a dispatch mode (`watch.py`), below modules and autograd:

1. Every tensor that depends on the input is remembered with the step that made it (`memory.py`), and every
   operation names the steps of its arguments: its parents.
2. An operation that only moves numbers (a view, a transpose, a slice) makes no step.
3. A call of a nonlinearity whose regimes can be told makes a step that a code can read.
4. An operation that is affine in what depends on the input makes a linear step.
5. All else makes an obstacle: beyond it, regimes do not tell the affine map.

So a flow is a graph of steps of which regimes, maps and obstacles can be asked. Cost: one forward pass of one
example, and memory for the graph, not for the tensors. Decision 2 says why tensors are watched, and not code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch

from polylens.dataflow import operations, regimes
from polylens.dataflow.flow import INPUT, OUTPUT, Content, Flow, Step
from polylens.dataflow.forms import Forms
from polylens.dataflow.functions import function_of
from polylens.dataflow.linearity import why_not_linear
from polylens.dataflow.meeting import Call, Met, name_apart
from polylens.dataflow.memory import Memory
from polylens.dataflow.moving import moved_ids
from polylens.dataflow.nonlinearities import Nonlinearity, Site
from polylens.dataflow.shapes import LayerShape, first_tensor
from polylens.dataflow.sites import why_not_a_site
from polylens.dataflow.watch import Watch
from polylens.dataflow.winners import window_size
from polylens.errors import UsageError

_TOKENS = 13  # of a traced input that has more: they show the data flow, and hardly any other axis is as long


def trace(
    module: torch.nn.Module, example_input: torch.Tensor, *, aliases: Mapping[str, str] | None = None
) -> Flow:
    """The data flow of a network, found by one watched forward pass.

    Args:
        module: in eval mode, on the device of `example_input`. It is left as it was, buffers included.
        example_input: a batch; its first example is used.
        aliases: short layer names, for `Flow.resolve`.

    Raises:
        UsageError: the network gives no tensor.

    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    >>> flow = trace(network, torch.zeros(1, 4))
    >>> [unit.name for unit in flow.downstream("input", "output")]
    ['1']
    """
    is_text = example_input.dim() == 2 and not example_input.is_floating_point()
    example = (example_input[:1, :_TOKENS] if is_text else example_input[:1]).detach().clone()
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()} if module.training else {}
    n_tokens = example_input.shape[1] if is_text else 0
    # Images have channels first; of sequences they are taken to be last until a convolution shows otherwise.
    tracing = _Trace(example, n_tokens=n_tokens, channels=1 if example.dim() > 3 else example.dim() - 1)
    with torch.no_grad():
        try:
            with tracing.watch(module):
                output = module(example)
        except _ChannelsFirst:
            tracing = _Trace(example, n_tokens=n_tokens, channels=1)
            with tracing.watch(module):
                output = module(example)
        for name, buffer in module.named_buffers():
            if name in buffers:
                buffer.copy_(buffers[name])
    tracing.record(OUTPUT, output)
    if OUTPUT not in tracing.contents:
        raise UsageError("the network gives no tensor with an axis of examples in front")
    return tracing.flow(aliases or {})


class _ChannelsFirst(BaseException):
    """Ends a pass whose input was wrongly taken to have its channels last. No network is to catch it."""


class _Trace(Watch):  # type: ignore[no-untyped-call]
    """Records a step for every operation on what depends on the input, and what every module gives."""

    def __init__(self, example: torch.Tensor, *, n_tokens: int, channels: int) -> None:
        super().__init__()
        self.memory = Memory()
        self.steps: list[Step] = []
        self.contents: dict[str, Content] = {}
        self.shapes: dict[str, LayerShape] = {}
        self.unusable: dict[str, str] = {}
        self.met: list[Met] = []
        self.multiplied: dict[int, Content | None] = {}
        self._running: list[Call] = []
        self._whole: list[tuple[frozenset[int], str | None, Content | None]] = []
        self.forms = Forms(
            self.memory, n_tokens=example.shape[1] if n_tokens else 0, claimed=n_tokens, channels=channels
        )
        self._write(example, Step("input", frozenset(), size=0), fresh=True)
        self.record(INPUT, example)

    def flow(self, aliases: Mapping[str, str]) -> Flow:
        """All that was found."""
        named = name_apart(self.met)
        return Flow(
            layers=self.shapes,
            nonlinearities=tuple(met.item for met in named.values()),
            steps=tuple(self.steps),
            firsts=np.asarray(self.memory.firsts),
            contents=self.contents,
            step_of={name: met.step for name, met in named.items()},
            read_by={name: met.reads for name, met in named.items()},
            given_by={name: met.gives for name, met in named.items()},
            multiplied={
                name: self.multiplied[met.step] for name, met in named.items() if met.step in self.multiplied
            },
            aliases=dict(aliases),
            unusable=self.unusable,
        )

    def record(self, name: str, output: Any) -> None:
        """Notes what a layer holds."""
        tensor = first_tensor(output)
        if tensor is None:
            self.unusable[name] = "its output holds no tensor"
        elif self.forms.is_flattened(tensor):
            self._record(name, tensor.unsqueeze(0), flattened=True)
        elif tensor.dim() == 0 or tensor.shape[0] != 1 or tensor.numel() == 0:
            self.unusable[name] = "the first axis of its output does not count examples"
        else:
            self._record(name, tensor, flattened=False)

    def _record(self, name: str, tensor: torch.Tensor, *, flattened: bool) -> None:
        content = self._content(tensor)
        shape = self.forms.shape_of(tensor, flattened=flattened)
        if isinstance(shape, str):
            self.unusable[name] = shape
            if name != OUTPUT:
                return
            # What flows into the output is known all the same.
            shape = LayerShape.of(content.shape)
        self.contents[name], self.shapes[name] = content, shape

    def on_enter(self) -> None:
        if self._running:
            self._running[-1].has_parts = True
        self._running.append(Call(n_met=len(self.met)))

    def on_output(self, name: str, output: Any) -> None:
        call = self._running.pop()
        if not call.has_parts and call.n_computing == 1 and len(self.met) == call.n_met + 1:
            met = self.met[-1]
            self.met[-1] = replace(met, item=replace(met.item, name=met.item.site.module))
        self.record(name, output)

    def before_composite(self, site: Site, source: torch.Tensor) -> None:
        parents, what = self.memory.steps(source), self._why_not_a_site(site, {"self": source})
        reads = self._reads({"self": source}) if parents and what is None else None
        self._whole.append((parents, what, reads))

    def after_composite(self, site: Site, source: torch.Tensor, output: torch.Tensor) -> None:
        parents, what, reads = self._whole.pop()
        self.forms.expect_alike(source)
        if reads is not None:
            self._meet(site, {"self": source}, reads, parents, [output], in_place=False)
        elif parents:
            self._compute([], [output], self._obstacle(what or site.operation, parents))

    def on_operation(
        self,
        function: torch._ops.OpOverload,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        site: Site | None,
    ) -> Any:
        if torch.Tag.inplace_view in function.tags:
            return function(*args, **kwargs)  # the same values, seen in another way
        operation = operations.canonical(function)
        arguments = operations.arguments_by_name(function, args, kwargs)
        changed = operations.written_tensors(function, arguments)
        parents = self._parents(arguments)
        # All that is read of the arguments is read before the operation runs: it may write in place.
        moved = moved_ids(self.memory, function, arguments) if parents else None
        what = None if site is None else self._why_not_a_site(site, arguments)
        if self.forms.shows_channels_first(operation, arguments):
            raise _ChannelsFirst
        is_met = bool(parents) and site is not None and what is None
        reads = self._reads(arguments) if is_met else None
        result = function(*args, **kwargs)
        outputs = list(operations.tensors(result))
        # The cases, the first that fits: nothing of the input in it; numbers only moved; overwritten by a
        # constant; a decision of the program; a nonlinearity; a linear step or an obstacle.
        self.forms.expect(function, arguments, [*changed, *outputs] if parents else [], depends=self._depends)
        if not parents:
            if torch.Tag.nondeterministic_seeded in function.tags:
                self._compute(
                    changed,
                    outputs,
                    self._obstacle(f"random {operations.operation_in_words(operation)}", parents),
                )
        elif moved is not None:
            for tensor in changed or outputs:
                self.memory.place(tensor, moved)
        elif operation in operations.CONSTANTS and not self._depends(arguments.get("value")):
            for tensor in changed:
                self.memory.place(tensor, None)
        elif operation in operations.DECISIONS:
            self.memory.skip()
            self.steps.append(self._obstacle(operations.operation_in_words(operation), parents, decides=True))
        elif site is not None and reads is not None:
            self._meet(site, arguments, reads, parents, [*changed, *outputs], in_place=bool(changed))
        else:
            if operation == "mul":
                self._note_factors(arguments)
            what = what or why_not_linear(operation, arguments, self._depends)
            step = Step("linear", parents, size=0) if what is None else self._obstacle(what, parents)
            self._compute(changed, outputs, step)
        return result

    def _meet(
        self,
        site: Site,
        arguments: operations.Arguments,
        reads: Content,
        parents: frozenset[int],
        outputs: list[torch.Tensor],
        *,
        in_place: bool,
    ) -> None:
        """Records a nonlinearity."""
        given, *further = outputs
        spoken = operations.operation_in_words(site.operation)
        kinked = None if regimes.is_pool(site.operation) else regimes.regimes(site.operation, arguments)
        role: Literal["units", "pool"] = "pool" if kinked is None else "units"
        self._compute([given] if in_place else [], [given], Step(role, parents, size=0))
        step = len(self.steps) - 1
        self._compute(
            [], further, self._obstacle(f"the indices or buffer of {spoken}", parents), counted=False
        )
        flattened = self.forms.is_flattened(given)
        seen = given.unsqueeze(0) if flattened else given
        gives = self._content(seen)
        shape = self.forms.shape_of(seen, flattened=flattened)
        if isinstance(shape, str):
            obstacle = self._obstacle(f"{spoken} of a tensor ({shape})", parents)
            self.steps[step] = replace(obstacle, size=self.steps[step].size)
            return
        item = Nonlinearity(
            name=f"{site.module or 'network'}:{spoken}",
            operation=spoken,
            role=role,
            piecewise_linear=kinked is None or kinked.piecewise_linear,
            kinks=() if kinked is None else kinked.kinks,
            shape=shape,
            window=window_size(site.operation, arguments) if kinked is None else 1,
            site=site,
            function=None if kinked is None else function_of(site.operation, arguments),
        )
        self.met.append(Met(item, step=step, reads=reads, gives=gives))

    def _note_factors(self, arguments: operations.Arguments) -> None:
        """Notes which nonlinearities' units multiply other values, and which those are."""
        pair = (arguments["self"], arguments["other"])
        if not all(self._depends(factor) for factor in pair):
            return
        for factor, multiplied in (pair, pair[::-1]):
            steps = self.memory.steps(factor)
            for met in self.met:
                if steps == {met.step}:
                    flattened = self.forms.is_flattened(multiplied)
                    whole = multiplied.unsqueeze(0) if flattened else multiplied
                    fits = whole.dim() > 0 and whole.shape[0] == 1
                    self.multiplied[met.step] = self._content(whole) if fits else None

    def _why_not_a_site(self, site: Site, arguments: operations.Arguments) -> str | None:
        is_flattened = self.forms.is_flattened(arguments["self"])
        return why_not_a_site(site.operation, arguments, depends=self._depends, is_flattened=is_flattened)

    def _reads(self, arguments: operations.Arguments) -> Content:
        """What the regimes are read from; with a second varying operand it is no value of the network."""
        source = torch.zeros(1) if self._depends(arguments.get("other")) else arguments["self"]
        return self._content(source.unsqueeze(0) if self.forms.is_flattened(source) else source)

    def _compute(
        self,
        changed: list[torch.Tensor],
        outputs: Iterable[torch.Tensor],
        step: Step,
        *,
        counted: bool = True,
    ) -> None:
        """Records a step for what an operation computed: what it changed in place, then every new tensor."""
        for tensor in changed:
            self._write(tensor, step, fresh=False)
        new = [tensor for tensor in outputs if not self.memory.knows(tensor) and tensor.numel()]
        for tensor in new:
            self._write(tensor, step, fresh=True)
        if self._running and counted and (changed or new):
            self._running[-1].n_computing += 1

    def _write(self, tensor: torch.Tensor, step: Step, *, fresh: bool) -> None:
        self.memory.write(tensor, fresh=fresh)
        self.forms.note(len(self.steps), tensor)
        self.steps.append(replace(step, size=tensor.numel()))

    def _parents(self, arguments: operations.Arguments) -> frozenset[int]:
        given = (tensor for value in arguments.values() for tensor in operations.tensors(value))
        return frozenset().union(*(self.memory.steps(tensor) for tensor in given))

    def _depends(self, value: Any) -> bool:
        return any(self.memory.steps(tensor) for tensor in operations.tensors(value))

    def _content(self, tensor: torch.Tensor) -> Content:
        first = self.memory.only_run(tensor)
        if first is None:
            return Content.of(self.memory.ids(tensor))
        return Content(tuple(tensor.shape[1:]), np.asarray([first]), np.asarray([tensor.numel()]))

    def _obstacle(self, what: str, parents: frozenset[int], *, decides: bool = False) -> Step:
        where = f"in '{self.stack[-1]}'" if self.stack[-1] else "in the network itself"
        return Step(
            "obstacle", parents, size=0, obstacle=f"{what} {where} is not piecewise linear", decides=decides
        )
