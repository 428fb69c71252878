"""Are boundaries denser between classes than within them?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Need, Outcomes, RowAnalysis
from polylens.analyses._pairs import RATIO_NUMBERS
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class PairDensity(RowAnalysis):
    """Polytope density of different-class pairs over that of same-class pairs, matched by distance.

    The density of a pair is its code distance (the share of a layer's units in another regime) over its
    Euclidean distance on the spec's `layer`: the same segment for both. It needs whole examples
    (`positions: all`).

    Source: Black et al. (2022), polytope density.
    Departs: the primary number is matched by distance, since code distance grows more slowly than distance
        and different-class pairs are farther apart. The distance of the ends' codes is a lower bound on the
        boundaries crossed between them.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("matched_ratio", "overlap", "raw_ratio")
    answer: ClassVar[tuple[str, ...]] = ("matched_ratio",)
    numbers: ClassVar[tuple[str, ...]] = (
        *RATIO_NUMBERS,
        "names_polytopes",
    )

    pairs: int = Field(default=10_000, ge=10)
    """How many same-class pairs are drawn, and how many different-class pairs."""
    bins: int = Field(default=20, ge=1)
    """Equal bins of the range of distances that both kinds of pairs reach."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals, and as many shuffles of the classes for chance levels."""

    def needs(self) -> frozenset[Need]:
        """Activations (the segment's ends) and codes."""
        return frozenset({"activations", "codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Graded codes have no bits to count."""
        return "it needs the bits of a hard code (kind: sign), and the code is graded" if is_graded else None

    def run(self, rows: Rows, work: Work) -> Findings:
        """The ratios, of all layers and of each alone, with intervals over examples."""
        from polylens.analyses.pair_density.findings import pair_density_findings

        return pair_density_findings(self, rows, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Ratios by layer beside controls, how the distances overlap, and the class-by-class matrix."""
        from polylens.analyses._pairs.pictures import density_pictures

        return density_pictures(outcomes, subject=subject)
