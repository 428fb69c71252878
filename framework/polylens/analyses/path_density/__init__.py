"""Do boundaries mark the change of meaning along a path from one example to another?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed, Walks
from polylens.analyses._pairs import RATIO_NUMBERS, Route
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class PathDensity(Probe):
    """Boundaries crossed per unit length along paths between examples, above all where predictions switch.

    A path is straight in the space of the spec's `layer`, or spherical: along the great circle around the
    origin, norms changing evenly, as `chords` straight pieces on each of which crossings are exact. A
    prediction switches where another of the network's outputs becomes the largest. Density near
    switches stands over the density on the whole of the same paths, beside the same with the switches of
    one path put on another (chance) and with each path's switches counted from its other end.
    Crossings are those of all nonlinearities from the layer to the output, winners of max-pooling included,
    as shares of each layer's units; exact where the network is piecewise linear, else sampled
    (`exact` is 0). Needs whole examples.

    Source: Black et al. (2022), who hold that polytope boundaries mark changes of meaning; how many paths
        and steps along them they took is not published.
    Departs: crossings are exact, not changes of code between steps.
    """

    memory_fields: ClassVar[frozenset[str]] = frozenset({"vertices"})
    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("switch_ratio", "switch_ratio_same", "matched_ratio")
    answer: ClassVar[tuple[str, ...]] = ("switch_ratio",)
    numbers: ClassVar[tuple[str, ...]] = (
        "switch_ratio",
        "switch_ratio.*",
        "switch_ratio_same",
        "switch_ratio_same.*",
        "switches_per_path_same",
        "switches_per_path_different",
        "switching_share_same",
        "switching_share_different",
        *RATIO_NUMBERS,
        "pairs_without_path",
        "exact",
    )

    pairs: int = Field(default=1000, ge=10)
    """How many same-class paths are walked, and how many different-class paths."""
    path: Route = "straight"
    """`straight`, or `spherical`: around the origin, as straight chords."""
    chords: int = Field(default=32, ge=2)
    """Straight pieces of a spherical path; a straight one is one."""
    near: float = Field(default=0.05, gt=0, le=0.5)
    """Width of the pieces around a switch, as a share of the path; the middle one is centred at it."""
    around: int = Field(default=5, ge=1)
    """Pieces on either side of the middle one."""
    pieces: int = Field(default=20, ge=2)
    """Equal pieces of the path, for density along it."""
    bins: int = Field(default=20, ge=1)
    """Equal bins of the range of lengths that both kinds of paths reach."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals, and as many exchanges of switches and shuffles of the classes
    for chance levels."""
    vertices: int = Field(default=4096, ge=2)
    """The largest batch in which paths are walked: memory, not results, depends on it."""

    def walks(self, n_rows: int) -> Walks:
        """One segment a pair of either side."""
        return Walks(min(2 * self.pairs, n_rows * (n_rows - 1) // 2), "output", outputs=True)

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Density around switches, along the whole path, and between classes over within."""
        from polylens.analyses.path_density.findings import path_density_findings

        return path_density_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Density around switches and along paths by layer, beside controls, and the ratios of pairs."""
        from polylens.analyses.path_density.pictures import path_pictures

        words = (
            "straight" if self.path == "straight" else f"spherical, as {self.chords} exact straight chords"
        )
        return path_pictures(outcomes, subject=subject, path=words)
