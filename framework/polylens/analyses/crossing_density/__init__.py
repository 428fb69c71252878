"""Are boundaries denser between classes than within them, counted exactly?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed, Walks
from polylens.analyses._pairs import RATIO_NUMBERS
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class CrossingDensity(Probe):
    """Boundaries crossed per unit length between different classes over those within, matched by distance.

    As `pair_density`, with every boundary that the straight segment between the two examples crosses in place
    of the distance of their codes, which counts a unit that changes and changes back as none. Beside it
    stands how much of the crossings the two ends show. Crossings are those of all nonlinearities from the
    spec's `layer` to `through`, winners of max-pooling included, as shares of each layer's units; they are
    exact where the network is piecewise linear, and sampled (`exact` is 0) where it is not. Needs whole
    examples.

    Source: Black et al. (2022), polytope density; how many pairs, and whether by codes or along segments,
        is not published.
    Departs: the primary number is matched by distance, and layers weigh the same whatever their size.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    memory_fields: ClassVar[frozenset[str]] = frozenset({"vertices"})
    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("matched_ratio", "raw_ratio", "endpoint_share")
    answer: ClassVar[tuple[str, ...]] = ("matched_ratio", "endpoint_share")
    numbers: ClassVar[tuple[str, ...]] = (
        *RATIO_NUMBERS,
        "crossings_per_length_same",
        "crossings_per_length_different",
        "endpoint_share",
        "endpoint_share.*",
        "exact",
    )

    pairs: int = Field(default=2000, ge=10)
    """How many same-class pairs are drawn, and how many different-class pairs."""
    through: str = "output"
    """Where the boundaries end: a later layer, or the network's output."""
    bins: int = Field(default=20, ge=1)
    """Equal bins of the range of distances that both kinds of pairs reach."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals, and as many shuffles of the classes for chance levels."""
    vertices: int = Field(default=4096, ge=2)
    """The largest batch in which segments are walked: memory, not results, depends on it."""

    def walks(self, n_rows: int) -> Walks:
        """One segment a pair of either side."""
        return Walks(min(2 * self.pairs, n_rows * (n_rows - 1) // 2), self.through, outputs=False)

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """The ratios, of all layers and of each alone, beside what the ends show."""
        from polylens.analyses.crossing_density.findings import crossing_density_findings

        return crossing_density_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Ratios by layer beside controls, what the ends show, and the class-by-class matrix."""
        from polylens.analyses.crossing_density.pictures import crossing_pictures

        return crossing_pictures(outcomes, subject=subject)
