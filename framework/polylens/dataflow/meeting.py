"""Nonlinearities as a watched pass meets them, one call after the other.

A nonlinearity is called `MODULE:OPERATION`. A module that does nothing but one nonlinear operation gives it
its own name; a second one of a name has `#2` (`name_apart`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from polylens.dataflow.flow import Content
from polylens.dataflow.nonlinearities import Nonlinearity
from polylens.dataflow.watch import numbered_name


@dataclass
class Call:
    """A module that is running: whether it does nothing but one nonlinear operation."""

    n_met: int
    """Nonlinearities met before it."""
    n_computing: int = 0
    """Operations so far that compute new values; views and copies do not."""
    has_parts: bool = False


@dataclass(frozen=True)
class Met:
    """A nonlinearity as it was met."""

    item: Nonlinearity
    step: int
    reads: Content
    gives: Content


def name_apart(met: Iterable[Met]) -> dict[str, Met]:
    """By name: a second nonlinearity of one name is called `name#2`."""
    times: Counter[str] = Counter()
    named = {}
    for each in met:
        times[each.item.name] += 1
        name = numbered_name(each.item.name, times[each.item.name])
        named[name] = replace(each, item=replace(each.item, name=name))
    return named
