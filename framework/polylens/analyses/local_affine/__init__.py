"""What affine map does each polytope carry, and how do the maps of neighbours differ?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class LocalAffine(Probe):
    """The affine maps of examples' polytopes: their spectra, and how maps change from polytope to polytope.

    Inside a polytope the network is one affine map. Maps are compared by the Frobenius norm of the difference
    of their matrices over the mean of their norms: between neighbouring polytopes along the straight segment
    from one example to another (`steps`), and between the two ends (`ends`), for pairs of one class and of
    two. Since different-class pairs lie farther apart, ratios are matched by distance. Needs whole examples
    with classes and a piecewise linear network whose maps are small enough to be kept.

    Source: Black et al. (2022) propose polytopes as units because each carries one affine map; whether maps
        of neighbours or of one class are alike is not reported there.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("effective_rank", "ends_ratio", "maps_by_codes")
    answer: ClassVar[tuple[str, ...]] = ("ends_ratio", "maps_by_codes")
    numbers: ClassVar[tuple[str, ...]] = (
        "effective_rank",
        "largest_singular_value",
        "ends_same",
        "ends_different",
        "ends_ratio",
        "ends_random",
        "steps_same",
        "steps_different",
        "steps_ratio",
        "units_same",
        "units_different",
        "units_ratio",
        "overlap",
        "maps_by_codes",
        "maps_by_codes_beyond_distance",
        "zero_distance_pairs",
        "exact",
    )

    through: str = "output"
    """Where the maps end: a later layer, or the network's output."""
    points: int = Field(default=200, ge=4)
    """Examples whose maps are looked at, drawn evenly from the classes."""
    pairs: int = Field(default=150, ge=5)
    """Segments between two of them of one class, and as many between two of different classes."""
    steps: int = Field(default=50, ge=1)
    """Boundaries of a segment on whose two sides maps are compared; evenly chosen where there are more."""
    bins: int = Field(default=10, ge=1)
    """Equal bins of the range of distances that both kinds of pairs reach."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals, and as many shuffles of the classes for chance levels."""

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Spectra of maps, and distances of maps between and within classes."""
        from polylens.analyses.local_affine.findings import local_affine_findings

        return local_affine_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Numbers, spectra and distances of maps beside controls."""
        from polylens.analyses.local_affine.pictures import affine_pictures

        return affine_pictures(outcomes, subject=subject)
