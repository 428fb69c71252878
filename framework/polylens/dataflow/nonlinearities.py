"""Nonlinearities of a network: where they stand, what their regimes are, and which of them a code reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from polylens.dataflow.functions import Function
from polylens.dataflow.shapes import LayerShape
from polylens.records import CodeScheme


@dataclass(frozen=True)
class Site:
    """Where an operation is met in a forward pass, found again in every later one by counting."""

    module: str
    """Path of the innermost module running; empty for the network itself."""
    operation: str
    occurrence: int
    """The how-manieth call of this operation in this module, from 1."""


@dataclass(frozen=True)
class Nonlinearity:
    """One nonlinear operation, whose units each have a regime."""

    name: str
    """Path of its activation module, or `path:operation` where the operation is one of several in a module;
    a second call is `...#2`."""
    operation: str
    """The operation's canonical name, such as `relu` or `max_pool2d`, whether called in place or not."""
    role: Literal["units", "pool"]
    """`units`: elementwise, the regime is which kinks the pre-activation is above. `pool`: it is which
    element of the window wins."""
    piecewise_linear: bool
    """Whether it is affine in each regime. For smooth units it is not, and the sign is a proxy."""
    kinks: tuple[float, ...]
    """Pre-activations at which units change regime, ascending; (0.0,) for smooth units; empty for pools."""
    shape: LayerShape
    """The shape of one example's regimes: one entry a unit, or a window of a pool."""
    window: int
    """Elements of a pool's window (the largest, where windows differ); 1 for units."""
    site: Site
    function: Function | None = None
    """What a unit computes; None for pools, and where it is not known in numbers."""


@dataclass(frozen=True)
class Selection:
    """What a code reads, and what its bits or numbers mean."""

    nonlinearities: tuple[Nonlinearity, ...]
    """In the order of `scheme.layers`."""
    scheme: CodeScheme
    approximated: tuple[Nonlinearity, ...] = ()
    """The nonlinearities that are smooth or gates and near `max(z, 0)` far from zero: how much of their
    output a hard code explains can be said."""
    factors: Mapping[str, str] = field(default_factory=dict)
    """The layer that a nonlinearity's units are multiplied with, for gates whose other factor is one."""

    def multiplied(self) -> dict[str, Nonlinearity]:
        """By layer, the gates that multiply it; only those whose output is looked at."""
        return {self.factors[item.name]: item for item in self.approximated if item.name in self.factors}
