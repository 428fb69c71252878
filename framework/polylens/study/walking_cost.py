"""How long walks from boundary to boundary may take, before they are begun.

A walk computes the network once at every boundary that it meets, so its time is that of so many forward
passes from the layer on. How many boundaries lie between two examples is only known when they are walked;
here a share of all units is assumed, which two photographs showed in a trained ImageNet network. So the
estimate may be wrong by a factor of some, and is no promise: it tells minutes from days.
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
from polylens.streams import Streams
from polylens.study.plans import ChildPlan

CROSSED = 1 / 6
"""The share of units whose boundaries a segment between two examples is assumed to cross."""
_POINTS = 4
"""Points of the timed pass."""
_TURNS = 2


def walking_seconds(plan: ChildPlan) -> Callable[[Probe], float | None]:
    """Gives of each probe a rough number of seconds that its walks take on this machine's CPU.

    None where it walks little, or something on the way is not piecewise linear, so that it is sampled
    instead. The network is built with any weights and timed once for each layer that walks end at.
    """
    model = plan.experiment.model

    @cache
    def seconds_a_segment(through: str) -> float | None:
        module = model.skeleton(Streams(0).torch_generator("outlook")).eval()
        try:
            whole = record(module, model.example_input())
            part = whole.part(plan.module_path, model.aliases().get(through, through))
        except UsageError:  # said where the spec is checked, or when it is run
            return None
        if part.obstacles:
            return None
        units = sum(int(np.prod(part.shapes[item.name])) for item in part.nonlinearities)
        return CROSSED * units * _seconds_a_point(part)

    def of(probe: Probe) -> float | None:
        walks = probe.walks(len(plan.examples))
        seconds = None if walks is None else seconds_a_segment(walks.through)
        return None if walks is None or seconds is None else walks.segments * seconds

    return of


def _seconds_a_point(part: Part) -> float:
    """Of a pass through the part in double precision, the least of two."""
    points = torch.zeros(_POINTS, *part.shape, dtype=torch.float64)
    found = []
    with torch.no_grad():
        for _ in range(_TURNS):
            started = time.perf_counter()
            part.forward(points)
            found.append(time.perf_counter() - started)
    return min(found) / _POINTS
