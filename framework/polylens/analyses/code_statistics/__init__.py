"""What the codes of rows look like: how many differ, how far apart, how many units never change."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Need, Outcomes, RowAnalysis
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class CodeStatistics(RowAnalysis):
    """Distinct codes, distances of codes layer by layer, and units that are always on or always off."""

    headline: ClassVar[tuple[str, ...]] = (
        "distinct_fraction",
        "same_class_distance",
        "different_class_distance",
    )
    numbers: ClassVar[tuple[str, ...]] = (
        "distinct_codes",
        "distinct_fraction",
        "near_boundary_fraction",
        "names_polytopes",
        "active_fraction",
        "always_on_fraction",
        "always_off_fraction",
        "constant_fraction",
        "same_class_distance",
        "same_class_distance.*",
        "different_class_distance",
        "different_class_distance.*",
    )

    pairs: int = Field(default=10_000, ge=10)
    """How many same-class pairs, and how many different-class pairs, are drawn for the distances; the
    two rows of a pair are of different examples."""
    resamples: int = Field(default=200, ge=2)
    """Resamples of the examples for the intervals of distances."""

    def needs(self) -> frozenset[Need]:
        """Codes."""
        return frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Graded codes have no bits to count."""
        return "it needs the bits of a hard code (kind: sign), and the code is graded" if is_graded else None

    def run(self, rows: Rows, work: Work) -> Findings:
        """Counts over all rows, and distances of drawn pairs with intervals over examples."""
        from polylens.analyses.code_statistics.findings import code_statistics_findings

        return code_statistics_findings(self, rows, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Distances of same-class and different-class pairs, layer by layer, beside controls."""
        from polylens.analyses.code_statistics.pictures import code_statistics_pictures

        return code_statistics_pictures(outcomes, subject=subject)
