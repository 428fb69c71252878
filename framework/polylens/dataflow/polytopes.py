"""Whether a code names polytopes, and why, or why not.

The reasons against it are looked for in this order, and the first one is given: the code is not written with
`positions: all`; something goes round the layer; an operation in between is not piecewise linear; a unit in
between is smooth or a gate; a nonlinearity in between is not read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from polylens.dataflow.flow import Flow
from polylens.dataflow.nonlinearities import Nonlinearity


@dataclass(frozen=True)
class Verdict:
    """Whether a code names polytopes, with the reason as one sentence for captions."""

    names_polytopes: bool
    reason: str


def names_polytopes(
    flow: Flow,
    layer: str,
    *,
    through: str,
    read: Collection[Nonlinearity],
    positions: Literal["same", "all"],
) -> Verdict:
    """Whether equal codes mean one affine map from the whole tensor of `layer` to the output of `through`.

    They do only if the code is written with `positions: all`, reads every nonlinearity in between (the
    winners of max-pooling included), all of these are piecewise linear, no other operation in between is
    anything but affine, and nothing but the layer's tensor decides what follows. For a layer without
    positions both settings of `positions` give the same bits; only `all` says that the row stands for the
    whole example, so only `all` is given the name.

    Source: Black et al. 2022 (arXiv 2211.12312); Balestriero and Baraniuk 2018, "A Spline Theory of Deep
        Networks".
    """
    between = flow.between(layer, through)
    unread = [item for item in between if item not in read]
    obstacles = flow.obstacles(layer, through)
    softly = why_soft(flow, read)
    after = flow.own(layer)
    span = f"between '{layer}' and '{through}'"
    if positions != "all":
        if flow.layers[layer].grid:
            why = "it reads the units of one position, while the others differ from row to row"
        else:
            why = "it is written with positions: same; with positions: all the same bits name whole examples"
        return _pathway(why, softly)
    if flow.is_bypassed(layer, through):
        return _pathway(f"'{through}' also depends on the input by ways that do not pass '{layer}'", softly)
    if obstacles:
        return _pathway(obstacles[0] + _and_more(len(obstacles)), softly)
    if any(not item.piecewise_linear for item in between):
        return _pathway(why_soft(flow, between))
    if unread:
        first = unread[0]
        if first in after:
            why = f"the layer's own units '{first.name}' come after it and are not in the code"
        elif first.role == "pool":
            why = f"the winners of {first.operation} at '{first.name}' are not in it (pools: true)"
        else:
            why = f"the units '{first.name}' {span} are not in it"
        return _pathway(why + _and_more(len(unread)))
    pools = ", winners of max-pooling included" if any(item.role == "pool" for item in between) else ""
    return Verdict(
        names_polytopes=True,
        reason=(
            f"polytope code: it reads every nonlinearity {span} at all positions{pools}, "
            "and all of them are piecewise linear"
        ),
    )


def why_soft(flow: Flow, read: Collection[Nonlinearity]) -> str:
    """Why the regimes of units do not make what follows affine; empty where they do."""
    smooth = [item for item in read if not item.piecewise_linear]
    gates = [item for item in read if flow.gates(item)]
    reasons = []
    if smooth:
        first = smooth[0]
        reasons.append(
            f"{first.operation} at '{first.name}' is smooth: the sign of its input is a proxy"
            + _and_more(len(smooth))
        )
    if gates:
        multiplied = flow.factor(gates[0])
        what = "other values" if multiplied is None else f"'{multiplied}'"
        reasons.append(
            f"the units of '{gates[0].name}'{_and_more(len(gates))} are gates, which multiply {what}, and "
            "products are not affine"
        )
    return ", and because ".join(reasons)


def _pathway(*reasons: str) -> Verdict:
    why = ", and because ".join(reason for reason in reasons if reason)
    return Verdict(
        names_polytopes=False, reason=f"pathway code, which does not name polytopes, because {why}"
    )


def _and_more(n: int) -> str:
    return f" (and {n - 1} more)" if n > 1 else ""
