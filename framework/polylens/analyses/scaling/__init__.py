"""Is a direction valid only inside its region: what does scaling an activation change?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed
from polylens.plugin import OnceEach
from polylens.records import Figure, Findings, Rows
from polylens.work import Work

Factor = Annotated[float, Field(gt=0)]


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
    numbers: ClassVar[tuple[str, ...]] = (
        "flipped_bits_ratio",
        "changed_predictions_ratio",
        "scaled_*.x*",
        "displaced_*.x*",
        "boundaries.x*",
        "*_ratio",
        "exact",
    )

    factors: OnceEach[Factor] = Field(default=(0.1, 0.25, 0.5, 0.9, 1.1, 2.0, 5.0, 10.0, 20.0), min_length=1)
    """What activations are multiplied by; above 0."""
    draws: int = Field(default=3, ge=1)
    """Random displacements of each row and factor."""
    rows: int = Field(default=500, ge=2)
    """Rows that are scaled, drawn at random where there are more."""
    crossings: int = Field(default=50, ge=0)
    """Rows of which the boundaries along the way are counted exactly, where that can be; 0 for none."""
    layers: OnceEach[str] = ()
    """Further later layers whose angles are read, such as residual streams; later units always are."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals."""

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Means over rows by factor, with intervals over examples."""
        from polylens.analyses.scaling.findings import scaling_findings

        return scaling_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Curves over the factor, scaling beside displacement, and flips by layer."""
        from polylens.analyses.scaling.pictures import scaling_pictures

        return scaling_pictures(outcomes, subject=subject)
