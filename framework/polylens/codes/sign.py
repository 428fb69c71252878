"""Signs of pre-activations: the spline code of units with kinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import model_validator

from polylens.codes import Code
from polylens.codes._units import check_through, chosen_units, selection_of, size_of
from polylens.records import CodeLayer

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

    version: ClassVar[int] = 2

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
        check_through(self.units, self.through)
        return self

    def later_layers(self) -> tuple[str, ...]:
        """The end of `downstream`, where it is a layer."""
        return () if self.through == "output" else (self.through,)

    def select(self, flow: Flow, layer: str) -> Selection:
        """The nonlinearities read, in execution order (`own`: in the order of the layer's channels)."""
        layer = flow.resolve(layer)
        chosen = chosen_units(
            flow, layer, units=self.units, through=self.through, positions=self.positions, pools=self.pools
        )
        verdict = self._verdict(flow, layer, chosen)
        return selection_of(flow, chosen, verdict=verdict, code_layer=self._code_layer)

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

    def _verdict(self, flow: Flow, layer: str, chosen: Sequence[Nonlinearity]) -> Verdict:
        from polylens.dataflow import Verdict, names_polytopes, why_soft

        if self.units == "own":
            cell = f"the code of the units of '{layer}' itself names a cell of the space before the layer"
            softly = why_soft(flow, chosen)
            reason = f"it does not name polytopes, because {softly}{softly and ', and because '}{cell}"
            return Verdict(names_polytopes=False, reason=reason)
        through = flow.resolve(self.through)
        return names_polytopes(flow, layer, through=through, read=chosen, positions=self.positions)

    def _code_layer(self, item: Nonlinearity) -> CodeLayer:
        is_pool = item.role == "pool"
        return CodeLayer(
            name=item.name,
            units=size_of(item, self.positions),
            bits_per_unit=item.window if is_pool else len(item.kinks),
            kind="winner" if is_pool else "sign",
        )
