"""Is a direction valid only inside its region: what does scaling an activation change?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Outcomes, Probe, Probed
from polylens.errors import UsageError
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from jaxtyping import Int64

    from polylens.analyses._changes.interventions import Intervention

Factor = Annotated[float, Field(gt=0)]

_SHOWN = ("flipped_bits", "changed_predictions", "output_angle")


class Scaling(Probe):
    """Scales activations by factors, beside random displacements of equal length, and reads what follows.

    If a direction meant the same at every length, scaling would change how strongly later layers answer, and
    not which of their units are on. Read are the angle of later activations to those of the unscaled row,
    the later units whose regime flips, and the prediction. A displacement goes from the row in a random
    direction, as far as the factor moves it: what scaling changes less than that is owed to its direction.

    Where all that follows is piecewise linear, the boundaries between the row and each scaled one are counted
    exactly as well; flips at the end point are a lower bound of them.

    Source: Black et al. (2022), section on scaling activation vectors. The paper shows later angles over
        factors for single examples; its counts of examples and factors are not published.
    Departs: beside displacements of equal length, with intervals over examples and with controls.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("flipped_bits_ratio", "changed_predictions_ratio")
    answer: ClassVar[tuple[str, ...]] = ("flipped_bits_ratio",)

    factors: tuple[Factor, ...] = Field(
        default=(0.1, 0.25, 0.5, 0.9, 1.1, 2.0, 5.0, 10.0, 20.0), min_length=1
    )
    """What activations are multiplied by; above 0."""
    draws: int = Field(default=3, ge=1)
    """Random displacements of each row and factor."""
    rows: int = Field(default=500, ge=2)
    """Rows that are scaled, drawn at random where there are more."""
    crossings: int = Field(default=50, ge=0)
    """Rows of which the boundaries along the way are counted exactly, where that can be; 0 for none."""
    layers: tuple[str, ...] = ()
    """Further later layers whose angles are read, such as residual streams; later units always are."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals."""

    def probe(
        self,
        rows: Rows,
        probed: Probed,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """Means over rows by factor, with intervals over examples."""
        from polylens.analyses._changes.factors import measured, summarised
        from polylens.analyses._changes.interventions import Intervention, chosen_rows
        from polylens.statistics import Blocks

        intervention = Intervention(probed, rows, layers=self.layers)
        chosen = chosen_rows(rows, most=self.rows, generator=streams.generator("rows"))
        with progress.task("scaling activations", total=len(chosen), unit="rows") as task:
            found = measured(
                intervention,
                chosen,
                factors=self.factors,
                draws=self.draws,
                streams=streams,
                advance=task.advance,
            )
        summary = summarised(
            found,
            blocks=Blocks.of(rows.origins.block[chosen]),
            resamples=self.resamples,
            streams=streams,
            shown=_SHOWN,
        )
        notes = [intervention.where]
        if intervention.output_is == "vector":
            notes.append("The output is no logits: its angle and its distance stand for predictions.")
        if intervention.why_proxy:
            notes.append(f"Flips are no boundaries between polytopes: {intervention.why_proxy}.")
        if summary.undefined:
            notes.append(f"{summary.undefined} angles are not defined, since a vector is zero.")
        numbers, tables = dict(summary.numbers), {"factors": summary.table}
        numbers["exact"] = Number(float(not intervention.why_proxy))
        if self.crossings and not intervention.why_proxy:
            exact = self._crossings(intervention, rows, chosen, streams=streams, progress=progress)
            if isinstance(exact, str):
                notes.append(exact)
            else:
                tables["crossings"], counted = exact
                numbers |= counted
        return Findings(numbers=numbers, tables=tables, notes=tuple(notes))

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Curves over the factor, scaling beside displacement, and flips by layer."""
        from polylens.analyses.scaling.pictures import scaling_pictures

        return scaling_pictures(outcomes, subject=subject)

    def _crossings(
        self,
        intervention: Intervention,
        rows: Rows,
        chosen: Int64[np.ndarray, "chosen"],
        *,
        streams: Streams,
        progress: Progress,
    ) -> tuple[pd.DataFrame, dict[str, Number]] | str:
        """Boundaries between each of some rows and itself scaled; or why they cannot be counted."""
        import numpy as np
        import pandas as pd
        import torch

        from polylens.geometry import record, segments_crossings
        from polylens.statistics import Blocks, mean_intervals, metric_name

        some = chosen
        if len(chosen) > self.crossings:
            drawn = streams.generator("crossings").choice(chosen, size=self.crossings, replace=False)
            some = np.sort(drawn)
        inputs = intervention.inputs_of(int(some[0]))
        try:
            part = record(intervention.module, inputs).part(intervention.layer)
        except UsageError as error:
            return f"Boundaries along the way are not counted: {error}."
        low, high = min(1.0, *self.factors), max(1.0, *self.factors)
        if low == high:
            return "Boundaries along the way are not counted: there is no way to scale along."
        counts = np.zeros((len(some), len(self.factors)))
        with progress.task("counting boundaries", total=len(some), unit="rows") as task:
            wholes = [intervention.whole(row) for row in some.tolist()]
            ends = [
                torch.stack(
                    [
                        intervention.scaled(whole, row=row, factor=factor)
                        for whole, row in zip(wholes, some.tolist(), strict=True)
                    ]
                )
                for factor in (low, high)
            ]
            walks = segments_crossings(part, *ends, vertices=intervention.vertices)
            for index, crossed in enumerate(walks):
                at = low + crossed.position * (high - low)
                for place, factor in enumerate(self.factors):
                    counts[index, place] = ((at > min(1.0, factor)) & (at < max(1.0, factor))).sum()
                task.advance()
        means, intervals, _ = mean_intervals(
            counts,
            blocks=Blocks.of(rows.origins.block[some]),
            resamples=self.resamples,
            streams=streams.child("crossings"),
        )
        table = pd.DataFrame(
            {
                "factor": self.factors,
                "boundaries": means,
                "low": [np.nan if each.low is None else each.low for each in intervals],
                "high": [np.nan if each.high is None else each.high for each in intervals],
            }
        )
        numbers = {
            metric_name("boundaries", f"x{factor:g}"): Number(
                float(mean), interval.low, interval.high, interval.meaning, unit="crossings"
            )
            for factor, mean, interval in zip(self.factors, means, intervals, strict=True)
        }
        return table, numbers
