"""The data flow of a network, and the questions codes ask of it.

A flow is a graph of steps in the order of execution. Each step knows the steps that it read from (its
parents) and has a run of consecutive ids for the values that it computed; a layer is known by the ids that
it holds.

1. A layer starts at the steps that own its ids. `_before` goes from the steps of `through` to parents, up
   to those; `_after` goes forward from them. What is in both lies between.
2. A layer is bypassed where step 1 reaches the network's input, or where it holds only some values of a
   step.
3. Its own nonlinearities are those whose outputs, side by side, are its ids in the order of its channels;
   else the one that reads exactly its ids (`own`).
4. The next nonlinearities are reached from it by steps that are no units (`next`).

Invariants: parents come before their children; ids rise with the steps, so that a search in `firsts` tells
which step owns an id, and an id of 0 belongs to nothing that depends on the input.

Cost: a question takes time for each step, or for each id of the layer where order matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64

from polylens.dataflow.nonlinearities import Nonlinearity
from polylens.dataflow.shapes import LayerShape
from polylens.errors import UsageError, listed, nearest

INPUT = "input"
OUTPUT = "output"


@dataclass(frozen=True)
class Step:
    """One operation whose result depends on the input."""

    role: Literal["input", "linear", "units", "pool", "obstacle"]
    parents: frozenset[int]
    """The steps that computed what it reads."""
    size: int
    """How many values it computes."""
    obstacle: str = ""
    """What is not piecewise linear about it, and where."""
    decides: bool = False
    """Whether its value is handed to Python, where it may decide what is computed next."""


@dataclass(frozen=True, eq=False)
class Content:
    """Which values a tensor of one example holds, as runs of consecutive ids in row-major order."""

    shape: tuple[int, ...]
    """Without the axis of examples."""
    firsts: Int64[np.ndarray, "runs"]
    lengths: Int64[np.ndarray, "runs"]

    @classmethod
    def of(cls, ids: Int64[torch.Tensor, "1 ..."]) -> Content:
        """The content of a tensor with these ids."""
        # A tensor as it was computed is one run; what was moved about has as many as it has seams.
        flat = ids.reshape(-1).numpy()
        starts = np.concatenate([[0], np.flatnonzero(np.diff(flat) != 1) + 1])[: len(flat)]
        return cls(tuple(ids.shape[1:]), flat[starts], np.diff([*starts, len(flat)]))

    @property
    def depends(self) -> bool:
        """Whether any of the values depends on the input."""
        return bool((self.firsts > 0).any())

    def same_values(self, content: Content) -> bool:
        """Whether both hold the same values in the same row-major order."""
        return np.array_equal(self.firsts, content.firsts) and np.array_equal(self.lengths, content.lengths)

    def flat(self) -> Int64[np.ndarray, "values"]:
        """The id of each element, in row-major order."""
        starts = np.cumsum(self.lengths) - self.lengths
        return np.repeat(self.firsts - starts, self.lengths) + np.arange(self.lengths.sum())

    def rows(self, shape: LayerShape) -> Int64[np.ndarray, "positions channels"]:
        """The id of each channel at each position, of a tensor that falls into these as `shape` says."""
        flat = self.flat()
        if shape.order:
            flat = flat.reshape(self.shape).transpose(shape.order).reshape(-1)
        # Of a text, fewer tokens were traced than its shape claims.
        if shape.channels_first:
            return flat.reshape(shape.width, -1).T
        return flat.reshape(-1, shape.width)


@dataclass(frozen=True)
class Flow:
    """What flows where in a network, as one watched forward pass showed it.

    A layer is a module's output (its first tensor), under the module's path, with `#2`, `#3`, ... for
    further calls; `input` and `output` are the network's own. Questions about a layer are answered for the
    *values* its tensor holds: whatever reads them, through this module or past it, depends on the layer.
    """

    layers: Mapping[str, LayerShape]
    nonlinearities: tuple[Nonlinearity, ...]
    """In execution order."""
    steps: tuple[Step, ...]
    firsts: Int64[np.ndarray, "steps"]
    """The first id of each step's values."""
    contents: Mapping[str, Content]
    """By layer."""
    step_of: Mapping[str, int]
    """The step of each nonlinearity, by name."""
    read_by: Mapping[str, Content]
    """What each nonlinearity reads, by its name."""
    given_by: Mapping[str, Content]
    """What each nonlinearity gives, by its name."""
    multiplied: Mapping[str, Content | None]
    """What each nonlinearity whose units multiply values that also depend on the input multiplies."""
    aliases: Mapping[str, str]
    unusable: Mapping[str, str]
    """Modules whose output is no layer, and why; the network's own output may be among them."""

    def resolve(self, name: str, aliases: Mapping[str, str] | None = None) -> str:
        """The layer that a name or an alias stands for.

        Raises:
            UsageError: there is none; says which is nearest, or why the module's output is no layer.
        """
        known = {**self.aliases, **(aliases or {})}
        layer = known.get(name, name)
        if layer in self.unusable:
            raise UsageError(f"'{name}' is not a layer: {self.unusable[layer]}")
        if layer in self.layers:
            return layer
        suggestion = nearest(name, [*known, *self.layers])
        hint = f"did you mean '{suggestion}'?" if suggestion else f"layers: {listed(tuple(self.layers))}"
        raise UsageError(f"the network has no layer '{name}'", hint=hint)

    def own(self, layer: str) -> tuple[Nonlinearity, ...]:
        """The nonlinearities whose outputs, side by side, are the layer's output; else the one it is fed to.

        Their units, one nonlinearity after the other, stand in the order of the layer's channels. Empty
        where the layer has none: its output is something else than nonlinearities' outputs, whole and in
        order, and no nonlinearity reads exactly its values.
        """
        content = self.contents[layer]
        side_by_side = self._side_by_side(content, self.layers[layer])
        if side_by_side:
            return side_by_side
        fed = (item for item in self.nonlinearities if self.read_by[item.name].same_values(content))
        return tuple(islice(fed, 1))

    def next(self, layer: str) -> tuple[Nonlinearity, ...]:
        """The first units reached from the layer on each path to the output, and the pools on the way."""
        between = self._between(layer, OUTPUT)
        reached = set(self._start(layer))
        met: set[int] = set()
        for index in sorted(between):
            step = self.steps[index]
            if step.parents & reached:
                # Units end the way; pools and linear steps are gone through.
                if step.role != "units":
                    reached.add(index)
                met.add(index)
        return self._nonlinearities(met)

    def between(self, layer: str, through: str) -> tuple[Nonlinearity, ...]:
        """All nonlinearities from the layer, those it is fed to included, to the output of `through`.

        Raises:
            UsageError: `through` does not depend on the layer.
        """
        return self._nonlinearities(self._between(layer, through))

    def downstream(self, layer: str, through: str) -> tuple[Nonlinearity, ...]:
        """All nonlinearities between the layer and the output of `through`, without the layer's own units.

        Raises:
            UsageError: `through` does not depend on the layer.
        """
        own = self.own(layer)
        return tuple(item for item in self.between(layer, through) if item not in own)

    def obstacles(self, layer: str, through: str) -> tuple[str, ...]:
        """The operations between the layer and `through` that are not piecewise linear, one sentence each.

        Smooth units are not among them: they are nonlinearities, and say so themselves.

        Raises:
            UsageError: `through` does not depend on the layer.
        """
        between = self._between(layer, through)
        after = self._after(layer)
        # What Python looked at has no result that leads to `through`: it may change which way is taken.
        sentences = [
            step.obstacle
            for index, step in enumerate(self.steps)
            if step.role == "obstacle" and (index in between or (step.decides and index in after))
        ]
        return tuple(dict.fromkeys(sentences))

    def is_bypassed(self, layer: str, through: str) -> bool:
        """Whether `through` also depends on the input by ways that do not pass the layer.

        Then the layer's tensor alone does not determine what follows, and what is true of one example's rest
        of the network is not true of another's.
        """
        reaches_input = any(self.steps[index].role == "input" for index in self._before(layer, through))
        return reaches_input or self._partial(layer)

    def gates(self, item: Nonlinearity) -> bool:
        """Whether the nonlinearity's units are gates: factors of other values that depend on the input."""
        return item.name in self.multiplied

    def factor(self, item: Nonlinearity) -> str | None:
        """The layer whose values a gate multiplies, one by one; None where no layer holds exactly them."""
        content = self.multiplied.get(item.name)
        if content is None or content.shape != self.given_by[item.name].shape:
            return None
        return next((name for name, held in self.contents.items() if held.same_values(content)), None)

    def _start(self, layer: str) -> frozenset[int]:
        """The steps that computed the layer's values."""
        content = self.contents[layer]
        ends = content.firsts + content.lengths - 1
        # A run of ids may go over several steps: those of both its ends, and all in between.
        depends = content.firsts > 0
        steps: set[int] = set()
        for low, high in zip(self._owners(content.firsts[depends]), self._owners(ends[depends]), strict=True):
            steps.update(range(int(low), int(high) + 1))
        return frozenset(steps)

    def _partial(self, layer: str) -> bool:
        """Whether the layer holds only some of the values of a step, the rest of which may go another way."""
        content = self.contents[layer]
        owners = self._owners(np.unique(content.flat()))
        return any(self.steps[step].size != np.count_nonzero(owners == step) for step in self._start(layer))

    def _before(self, layer: str, through: str) -> frozenset[int]:
        """The steps needed to compute `through` from the layer's values: upstream of it, up to the layer."""
        start = self._start(layer)
        waiting = list(self._start(through) - start)
        seen: set[int] = set(waiting)
        while waiting:
            new = self.steps[waiting.pop()].parents - start - seen
            seen |= new
            waiting.extend(new)
        return frozenset(seen)

    def _after(self, layer: str) -> frozenset[int]:
        """The steps that depend on the layer's values."""
        start = self._start(layer)
        reached: set[int] = set()
        for index, step in enumerate(self.steps):
            if index not in start and step.parents & (start | reached):
                reached.add(index)
        return frozenset(reached)

    def _between(self, layer: str, through: str) -> frozenset[int]:
        between = self._before(layer, through) & self._after(layer)
        if not between:
            if self._start(through) <= self._start(layer):
                raise UsageError(f"nothing is computed between '{layer}' and '{through}'")
            raise UsageError(
                f"'{through}' does not come after '{layer}' in the data flow",
                hint=f"layers after '{layer}': {listed(self._layers_after(layer)) or 'none'}",
            )
        return between

    def _layers_after(self, layer: str) -> tuple[str, ...]:
        after = self._after(layer)
        return tuple(name for name in self.layers if self._start(name) & after and name != layer)

    def _nonlinearities(self, steps: Collection[int]) -> tuple[Nonlinearity, ...]:
        return tuple(item for item in self.nonlinearities if self.step_of[item.name] in steps)

    def _side_by_side(self, content: Content, shape: LayerShape) -> tuple[Nonlinearity, ...]:
        """The nonlinearities whose outputs, whole and in order of channels, are this content, if any."""
        rows = content.rows(shape)
        by_step = {self.step_of[item.name]: item for item in self.nonlinearities}
        # The first position tells which nonlinearities there are and in which order; then all must fit.
        order = dict.fromkeys(self._owners(rows[0]).tolist())
        if not all(step in by_step for step in order):
            return ()
        items = tuple(by_step[step] for step in order)
        given = [self.given_by[item.name] for item in items]
        if len(rows) == 1:
            fits = np.array_equal(np.concatenate([part.flat() for part in given]), rows[0])
        else:
            parts = [part.rows(item.shape) for part, item in zip(given, items, strict=True)]
            fits = {len(part) for part in parts} == {len(rows)} and np.array_equal(np.hstack(parts), rows)
        return items if fits else ()

    def _owners(self, ids: Int64[np.ndarray, "values"]) -> Int64[np.ndarray, "values"]:
        """The step that computed each value; -1 where the value does not depend on the input."""
        return np.asarray(np.searchsorted(self.firsts, ids, side="right") - 1)
