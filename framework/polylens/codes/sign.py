"""Signs of pre-activations: the spline code of units with kinks."""

from __future__ import annotations

from difflib import get_close_matches
from math import prod
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from polylens.codes import Code
from polylens.errors import UsageError
from polylens.records import CodeLayer, CodeScheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from jaxtyping import Bool, Shaped

    from polylens.dataflow import Flow, Nonlinearity, Selection, Verdict


class Sign(Code):
    """Which regime each unit is in: one bit a kink, set where the pre-activation is above it.

    Units with two kinks (such as hard tanh) give two bits, lower kink first; a max-pooling window gives one
    bit an element, set for the winner. Smooth units (such as GELU) give the sign of their pre-activation,
    which is a proxy.

    Source: Black et al. 2022 (arXiv 2211.12312), "spline codes".
    """

    units: Literal["own", "next", "downstream"]
    """`own`: the layer's own nonlinearity, a cell of the space before the layer. `next`: the first units
    reached from the layer. `downstream`: all units from the layer to `through`, without the layer's own."""
    through: str = "output"
    """Where `downstream` ends: a later layer, or the network's output."""
    positions: Literal["same", "all"]
    """`same`: units at the row's own position. `all`: units everywhere, one row per example."""
    pools: bool = False
    """Whether the winners of max-pooling windows are part of the code."""

    @model_validator(mode="after")
    def _through_is_for_downstream(self) -> Self:
        if self.through != "output" and self.units != "downstream":
            raise ValueError(f"'through' is for units: downstream, not for units: {self.units}")
        return self

    def later_layers(self) -> tuple[str, ...]:
        """The end of `downstream`, where it is a layer."""
        return () if self.through == "output" else (self.through,)

    def select(self, flow: Flow, layer: str) -> Selection:
        """The nonlinearities read, in execution order (`own`: in the order of the layer's channels)."""
        from polylens.dataflow import Selection

        layer = flow.resolve(layer)
        chosen = self._chosen(flow, layer)
        if self.positions == "same":
            _check_grid(flow, layer, chosen)
        verdict = self._verdict(flow, layer, chosen)
        scheme = CodeScheme(
            layers=tuple(self._code_layer(item) for item in chosen),
            names_polytopes=verdict.names_polytopes,
            reason=verdict.reason,
        )
        return Selection(nonlinearities=chosen, scheme=scheme)

    def encode(
        self, nonlinearity: Nonlinearity, values: Shaped[torch.Tensor, "rows units"]
    ) -> Bool[torch.Tensor, "rows bits"]:
        """Unit after unit; the bits of one unit stand together."""
        import torch

        if nonlinearity.role == "pool":
            places = torch.arange(nonlinearity.window, device=values.device)
            return (values.unsqueeze(2) == places).flatten(1)
        if len(nonlinearity.kinks) == 1:
            return values > nonlinearity.kinks[0]
        return torch.stack([values > kink for kink in nonlinearity.kinks], dim=2).flatten(1)

    def _chosen(self, flow: Flow, layer: str) -> tuple[Nonlinearity, ...]:
        """The nonlinearities of the units asked for.

        Raises:
            UsageError: there are none; says where there are.
        """
        if self.units == "own":
            found = flow.own(layer)
        elif self.units == "next":
            found = flow.next(layer)
        else:
            found = flow.downstream(layer, flow.resolve(self.through))
        chosen = tuple(item for item in found if self.pools or item.role == "units")
        if chosen:
            return chosen
        if found:
            raise UsageError(
                f"layer '{layer}' has no {self.units} units but max-pooling",
                hint="add pools: true to read its winners",
            )
        raise _no_units(flow, layer, self)

    def _verdict(self, flow: Flow, layer: str, chosen: Sequence[Nonlinearity]) -> Verdict:
        from polylens.dataflow import Verdict, names_polytopes

        if self.units == "own":
            reason = (
                f"the code of the units of '{layer}' itself names a cell of the space before the layer, "
                "not a polytope of the layer's own space"
            )
            return Verdict(names_polytopes=False, reason=reason)
        through = flow.resolve(self.through)
        return names_polytopes(flow, layer, through=through, read=chosen, positions=self.positions)

    def _code_layer(self, item: Nonlinearity) -> CodeLayer:
        is_pool = item.role == "pool"
        return CodeLayer(
            name=item.name,
            units=item.shape.size if self.positions == "all" else item.shape.width,
            bits_per_unit=item.window if is_pool else len(item.kinks),
            kind="winner" if is_pool else "sign",
        )


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


def _no_units(flow: Flow, layer: str, code: Sign) -> UsageError:
    if code.units != "own":
        return UsageError(f"no units stand between layer '{layer}' and '{code.through}'")
    having = [
        name for name in flow.layers if any(code.pools or item.role == "units" for item in flow.own(name))
    ]
    near = get_close_matches(layer, having, n=6, cutoff=0.0)
    return UsageError(
        f"layer '{layer}' has no units of its own: its output is neither that of nonlinearities, whole "
        "and in order, nor exactly what one reads",
        hint=f"layers that have: {', '.join(near) or 'none'}" + (", ..." if len(having) > len(near) else ""),
    )
