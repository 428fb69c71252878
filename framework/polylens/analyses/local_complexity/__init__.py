"""How many boundaries pass close to an example?"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed
from polylens.plugin import OnceEach
from polylens.records import Figure, Findings, Rows
from polylens.work import Work

Radius = Annotated[float, Field(gt=0)]


class LocalComplexity(Probe):
    """Units with a boundary close to each example: by sampling corners around it, and exactly along axes.

    The neighbourhood is a cross-polytope: the corners lie at a radius from the example, both ways along
    orthonormal directions. Sampled, a unit counts where its regime is not the same at all corners; exactly,
    a unit counts that crosses anywhere on the ways between corners and example, which is never less. Both are
    given at several radii, by layer and by class, beside the same at points drawn evenly from the box that
    the examples fill. Needs whole examples; where the network is not piecewise linear only the sampled
    count is given, of the signs of smooth units.

    Source: Humayun, Balestriero and Baraniuk 2024 (arXiv 2402.15555), "Deep Networks Always Grok and Here is
        Why", figure 4. Their published code takes 20 directions, the same for all points, and radius 0.005
        around normalised images. They report how the sampled count changes during training, around training,
        test and random points; whether classes differ is not reported.
    Departs: windows of max-pooling count as well. The exact counts are ours.
    """

    headline: ClassVar[tuple[str, ...]] = ("sampled", "met", "over_random_points")
    answer: ClassVar[tuple[str, ...]] = ("over_random_points", "sampled")
    numbers: ClassVar[tuple[str, ...]] = (
        "sampled",
        "sampled.*",
        "met",
        "met.*",
        "crossed",
        "crossed.*",
        "sampled_finds",
        "sampled_finds.*",
        "correlation",
        "correlation.*",
        "over_random_points",
        "over_random_points.*",
        "radius_unit",
        "exact",
    )

    through: str = "output"
    """The last layer whose boundaries count, or the network's output."""
    points: int = Field(default=100, ge=2)
    """Examples that are looked around, drawn evenly from the classes, and as many random points."""
    directions: int = Field(default=20, ge=1)
    """Orthonormal directions, the same for all points; at most as many as the layer has numbers."""
    radii: OnceEach[Radius] = Field(default=(0.1, 0.005, 0.02, 0.5, 2.0), min_length=1)
    """Distances of the corners, in units that `radii_in` names; numbers without a radius are of the first."""
    radii_in: Literal["space", "neighbours"] = "space"
    """`neighbours`: radii are times the median distance from an example to its nearest other one, so that
    networks whose layers have another scale can be compared."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals."""

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Counts at every radius, of all layers and of each."""
        from polylens.analyses.local_complexity.findings import local_complexity_findings

        return local_complexity_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Counts against the radius, by layer and by class, beside controls."""
        from polylens.analyses.local_complexity.pictures import complexity_pictures

        return complexity_pictures(outcomes, subject=subject)
