"""How long walks from boundary to boundary may take, before they are begun.

A walk computes each operation at the ends of its segment and at the boundaries that were met before it
(`polylens.geometry.walking`), so its time is that of so many passes through each. How many boundaries lie
between two examples is only known when they are walked; here a share of all units is assumed, which two
photographs showed in a trained ImageNet network. So the estimate may be wrong by a factor of some, and is no
promise: it tells minutes from days.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from polylens.analyses import Probe
from polylens.errors import UsageError
from polylens.geometry import Part, record
from polylens.geometry.tails import Tail
from polylens.streams import Streams
from polylens.study.plans import ChildPlan

CROSSED = 1 / 6
"""The share of units whose boundaries a segment between two examples is assumed to cross."""
_POINTS = 4
"""Points of the timed passes."""
_TURNS = 2
_BACKWARD = 2.0
"""What a backward pass through an operation costs, in passes."""


def walking_seconds(plan: ChildPlan) -> Callable[[Probe], float | None]:
    """Gives of each probe a rough number of seconds that its walks take on this machine's CPU.

    None where it walks little, or something on the way is not piecewise linear, so that it is sampled
    instead. The network is built with any weights and timed once for each layer that walks end at.
    """
    model = plan.experiment.model

    @cache
    def seconds_a_segment(through: str, outputs: bool) -> float | None:
        module = model.skeleton(Streams(0).torch_generator("outlook")).eval()
        try:
            whole = record(module, model.example_input())
            part = whole.part(plan.module_path, model.aliases().get(through, through))
        except UsageError:  # said where the spec is checked, or when it is run
            return None
        if part.obstacles or not part.nonlinearities:
            return None
        return _seconds_a_segment(part, outputs=outputs)

    def of(probe: Probe) -> float | None:
        walks = probe.walks(len(plan.examples))
        if walks is None:
            return None
        seconds = seconds_a_segment(walks.through, walks.outputs)
        return None if seconds is None else walks.segments * seconds

    return of


def _seconds_a_segment(part: Part, *, outputs: bool) -> float:
    """The time of every operation, at as many points as a walk has come to when it gets there."""
    seconds = _step_seconds(part)
    last = max(number for number, step in enumerate(part.steps) if step.nonlinearity is not None)
    total, points = 0.0, 2.0
    for step, own in zip(part.steps[:last], seconds, strict=False):
        if step.nonlinearity is not None:
            points += CROSSED * int(np.prod(part.shapes[step.nonlinearity.name]))
        total += points * own
    if not outputs:
        return total
    rest = sum(seconds[last:])
    if Tail.of(part) is not None:
        # Its rows are had by a backward pass for each output; between the ends nothing else is computed.
        point = torch.zeros(1, *part.shape, dtype=torch.float64)
        n_outputs = part.layouts[part.end].rows(part.forward(point)).shape[1]
        return total + (points + _BACKWARD * n_outputs) * rest
    item = part.steps[last].nonlinearity
    assert item is not None
    return total + (points + CROSSED * int(np.prod(part.shapes[item.name]))) * rest


def _step_seconds(part: Part) -> list[float]:
    """Of each operation, the seconds a point takes in double precision: the least of two passes."""
    points = torch.zeros(_POINTS, *part.shape, dtype=torch.float64)
    turns = []
    for _ in range(_TURNS):
        own: list[float] = []
        values = {part.start: part.lay_out(points)}
        with torch.no_grad():
            for index, step in enumerate(part.steps):
                started = time.perf_counter()
                values.update(step.run(values, _POINTS))
                own.append((time.perf_counter() - started) / _POINTS)
                for value in step.reads:
                    if part.last_use[value] == index:
                        del values[value]
        turns.append(own)
    return [min(pair) for pair in zip(*turns, strict=True)]
