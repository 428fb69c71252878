"""Gates and slopes of smooth units: codes in numbers rather than bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import model_validator

from polylens.codes import Code
from polylens.codes._units import check_through, chosen_units, selection_of, size_of
from polylens.errors import UsageError
from polylens.records import CodeLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from jaxtyping import Float, Float32

    from polylens.dataflow import Flow, Nonlinearity, Selection


class Gate(Code):
    """How far each unit is open: a number a unit, compared by L1 distance, of which Hamming is the hard case.

    For units that are their input times a gate (ReLU, GELU, SiLU, ...) the gate, from 0 to 1; or the slope of
    any unit's function. Both are those of the function that the network has: exact GELU and its tanh form
    differ. A graded code never names polytopes.

    Source: Balestriero and Baraniuk 2018 (arXiv 1810.09274), "From Hard to Soft".
    """

    is_graded: ClassVar[bool] = True

    of: Literal["gate", "slope"]
    """`gate`: what the unit multiplies its input by, such as Phi(z) for GELU, sigmoid(z) for SiLU, a step for
    ReLU. `slope`: the derivative of the unit's function at its input."""
    units: Literal["own", "next", "downstream"]
    """`own`: the layer's own nonlinearity. `next`: the first units reached from the layer. `downstream`: all
    units from the layer to `through`, without the layer's own."""
    through: str = "output"
    """Where `downstream` ends: a later layer, or the network's output."""
    positions: Literal["same", "all"]
    """`same`: units at the row's own position. `all`: units everywhere, one row per example."""

    @model_validator(mode="after")
    def _through_is_for_downstream(self) -> Self:
        check_through(self.units, self.through)
        return self

    def later_layers(self) -> tuple[str, ...]:
        """The end of `downstream`, where it is a layer."""
        return () if self.through == "output" else (self.through,)

    def select(self, flow: Flow, layer: str) -> Selection:
        """The nonlinearities read, in execution order (`own`: in the order of the layer's channels).

        Raises:
            UsageError: the layer has no such units, or their function has no gate or no known slope.
        """
        from polylens.dataflow import Verdict, why_soft

        layer = flow.resolve(layer)
        chosen = chosen_units(
            flow, layer, units=self.units, through=self.through, positions=self.positions, pools=False
        )
        self._check_functions(chosen)
        softly = why_soft(flow, chosen)
        reason = (
            f"graded code, which does not name polytopes, because {self.of}s change gradually, without "
            f"boundaries{softly and ', and because '}{softly}"
        )
        return selection_of(
            flow,
            chosen,
            verdict=Verdict(names_polytopes=False, reason=reason),
            code_layer=self._code_layer,
            metric="l1",
        )

    def encode(
        self, nonlinearity: Nonlinearity, values: Float[torch.Tensor, "rows units"]
    ) -> Float32[torch.Tensor, "rows units"]:
        """The gate or slope of each unit."""
        function = nonlinearity.function
        if function is None:
            raise AssertionError("`select` refuses units without a known function")
        return (function.gate(values) if self.of == "gate" else function.slope(values)).float()

    def _check_functions(self, chosen: Sequence[Nonlinearity]) -> None:
        """Refuses units that have no such number."""
        from polylens.dataflow import GATED_FUNCTIONS

        for item in chosen:
            if item.function is None:
                raise UsageError(
                    f"the {self.of} of {item.operation} at '{item.name}' is not known: its parameters are "
                    "no fixed numbers, or it has several inputs",
                    hint="use a code of kind sign, or other units",
                )
            if self.of == "gate" and not item.function.has_gate:
                raise UsageError(
                    f"{item.operation} at '{item.name}' has no gate: it is not its input times a number "
                    "from 0 to 1",
                    hint=f"use of: slope; these have a gate: {', '.join(GATED_FUNCTIONS)}",
                )

    def _code_layer(self, item: Nonlinearity) -> CodeLayer:
        return CodeLayer(name=item.name, units=size_of(item, self.positions), bits_per_unit=0, kind=self.of)
