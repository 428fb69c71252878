"""Which units codes read, and what is said of them: the same for every kind of code."""

from __future__ import annotations

from difflib import get_close_matches
from math import prod
from typing import TYPE_CHECKING, Literal

from polylens.errors import UsageError
from polylens.records import CodeScheme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polylens.dataflow import Flow, Nonlinearity, Selection, Verdict
    from polylens.records import CodeLayer

Units = Literal["own", "next", "downstream"]
Positions = Literal["same", "all"]


def check_through(units: Units, through: str) -> None:
    """Refuses an end for units that have none.

    Raises:
        ValueError: it is given for other units than `downstream`.
    """
    if through != "output" and units != "downstream":
        raise ValueError(f"'through' is for units: downstream, not for units: {units}")


def chosen_units(
    flow: Flow, layer: str, *, units: Units, through: str, positions: Positions, pools: bool
) -> tuple[Nonlinearity, ...]:
    """The nonlinearities read, in execution order (`own`: in the order of the layer's channels).

    Raises:
        UsageError: there are none, and says where there are; or they have no position that is the row's own.
    """
    if units == "own":
        found = flow.own(layer)
    elif units == "next":
        found = flow.next(layer)
    else:
        found = flow.downstream(layer, flow.resolve(through))
    chosen = tuple(item for item in found if pools or item.role == "units")
    if not chosen and found:
        raise UsageError(
            f"layer '{layer}' has no {units} units but max-pooling",
            hint="add pools: true to the code (kind: sign) to read its winners",
        )
    if not chosen:
        raise _no_units(flow, layer, units=units, through=through, pools=pools)
    if positions == "same":
        _check_grid(flow, layer, chosen)
    return chosen


def selection_of(
    flow: Flow,
    chosen: Sequence[Nonlinearity],
    *,
    verdict: Verdict,
    code_layer: Callable[[Nonlinearity], CodeLayer],
    metric: str = "hamming",
) -> Selection:
    """What a code reads, with the units whose hard form only approximates their output."""
    from polylens.dataflow import Selection

    softly = tuple(
        item for item in chosen if item.role == "units" and (flow.gates(item) or not item.piecewise_linear)
    )
    # Of gates that multiply one layer, the first: the layer's tensor is handed over once.
    multiplied = {layer: item for item in reversed(softly) if (layer := flow.factor(item)) is not None}
    scheme = CodeScheme(
        layers=tuple(code_layer(item) for item in chosen),
        names_polytopes=verdict.names_polytopes,
        reason=verdict.reason,
        metric=metric,
        is_proxy=bool(softly),
    )
    return Selection(
        nonlinearities=tuple(chosen),
        scheme=scheme,
        approximated=tuple(item for item in softly if item.function and item.function.rectifies),
        factors={item.name: layer for layer, item in multiplied.items()},
    )


def size_of(item: Nonlinearity, positions: Positions) -> int:
    """How many units of a nonlinearity stand in one code."""
    return item.shape.size if positions == "all" else item.shape.width


def _check_grid(flow: Flow, layer: str, chosen: Sequence[Nonlinearity]) -> None:
    """Refuses units that have no position which is the row's own."""
    grid = flow.layers[layer].grid
    elsewhere = [item for item in chosen if not _same_positions(item.shape.grid, grid)]
    if elsewhere:
        listed = ", ".join(f"'{item.name}' ({_extent(item.shape.grid)})" for item in elsewhere[:4])
        more = f" and {len(elsewhere) - 4} more" if len(elsewhere) > 4 else ""
        raise UsageError(
            f"positions: same needs units on the grid of '{layer}' ({_extent(grid)}), unlike {listed}{more}",
            hint="use positions: all, which makes one row of each example",
        )


def _same_positions(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two grids are one, or one is the other's flat list in row-major order (tokens of patches)."""
    flat = 1 in (len(one), len(other)) and bool(one) and bool(other)
    return one == other or (flat and prod(one) == prod(other))


def _extent(grid: tuple[int, ...]) -> str:
    return f"{' x '.join(map(str, grid))} positions" if grid else "no positions"


def _no_units(flow: Flow, layer: str, *, units: Units, through: str, pools: bool) -> UsageError:
    if units != "own":
        return UsageError(f"no units stand between layer '{layer}' and '{through}'")
    having = [name for name in flow.layers if any(pools or item.role == "units" for item in flow.own(name))]
    near = get_close_matches(layer, having, n=6, cutoff=0.0)
    return UsageError(
        f"layer '{layer}' has no units of its own: its output is neither that of nonlinearities, whole "
        "and in order, nor exactly what one reads",
        hint=f"layers that have: {', '.join(near) or 'none'}" + (", ..." if len(having) > len(near) else ""),
    )
