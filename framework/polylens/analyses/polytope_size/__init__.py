"""How large is the polytope that an example lies in?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class PolytopeSize(Probe):
    """Distance to the nearest boundary of an example's polytope against that to its nearest neighbours.

    Where the boundary is far nearer than any other example, every example has a polytope of its own, and
    what examples of one meaning share must be something coarser: the code of some layers only (the table
    `layers`), or a region of many polytopes. Distances to boundaries are exact, in the space of the spec's
    `layer`; polytopes are those of all nonlinearities from there to `through`, winners of max-pooling
    included, whatever the spec's code is. Needs whole examples and a piecewise linear network.

    Source: Black et al. (2022) and an author's later remark that nearly every example has a polytope of its
        own. What the distances are in the paper's networks is not reported.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = (
        "neighbour_over_boundary",
        "same_polytope",
        "distinct_polytopes",
    )
    answer: ClassVar[tuple[str, ...]] = ("neighbour_over_boundary", "same_polytope")
    numbers: ClassVar[tuple[str, ...]] = (
        "boundary_distance",
        "neighbour_distance",
        "neighbour_units",
        "same_class_distance",
        "same_class_units",
        "other_class_distance",
        "other_class_units",
        "neighbour_over_boundary",
        "same_polytope",
        "distinct_polytopes",
        "unbounded_points",
        "boundary_of.*",
        "exact",
    )

    through: str = "output"
    """Where the polytopes end: a later layer, or the network's output."""
    points: int = Field(default=1000, ge=2)
    """Examples whose nearest boundary is looked for, drawn evenly from the classes; neighbours are of all."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of these examples for intervals; their neighbours stay."""

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Distances, shared polytopes, and which layer's boundary is the nearest."""
        from polylens.analyses.polytope_size.findings import polytope_size_findings

        return polytope_size_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Distances beside controls, by class, and the numbers beside controls."""
        from polylens.analyses.polytope_size.pictures import size_pictures

        return size_pictures(outcomes, subject=subject)
