"""What do the polytopes of a plane through three examples look like?"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import Outcomes, Probe, Probed, Walks
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class PlaneSlice(Probe):
    """The exact polytopes of squares in planes through three examples, and where the prediction changes.

    Every cell of the picture is one polytope of all nonlinearities from the spec's `layer` to `through`,
    winners of max-pooling included, whatever the spec's code is. The question behind it (E6): do the
    polytopes' boundaries gather where the meaning changes, that is at the decision boundary? The share of
    their length near it is compared with what it is for the same decision boundary turned and mirrored
    within the square. Each slice carries a certificate: areas, Euler's formula, the code and the output at a
    point inside each cell. Needs whole examples and a piecewise linear network.

    Source: Black et al. (2022), who ask whether boundaries mark the change of meaning along paths; pictures
        of slices are common (Balestriero and Baraniuk 2018). No number of this kind is reported there.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("cells", "cells_per_region", "near_decision", "certificate_holds")
    answer: ClassVar[tuple[str, ...]] = ("near_decision_ratio",)
    numbers: ClassVar[tuple[str, ...]] = (
        "cells",
        "median_cell_share",
        "regions",
        "cells_per_region",
        "certificate_holds",
        "area_error",
        "euler",
        "repeated_codes",
        "output_error",
        "undecided_slices",
        "near_decision",
        "near_decision_ratio",
        "names_polytopes",
        "exact",
    )

    plane: Literal["examples", "directions"] = "examples"
    """Through three examples of three classes, or through one along two directions drawn at random."""
    classes: tuple[str, str, str] | None = None
    """The classes of the three examples; without them, three classes are drawn for every slice."""
    examples: tuple[str, str, str] | None = None
    """Ids of the three examples of the first slice, the one that is shown; without them, others are drawn."""
    slices: int = Field(default=5, ge=1)
    """How many are made; the first one is drawn."""
    reach: float = Field(default=1.0, gt=0)
    """How far the plane's corners are on the way from the place it lies around to the examples. With
    directions: how far the square reaches, in distances to the nearest other example."""
    around: Literal["first", "switch"] = "first"
    """Where a part of a plane lies (`reach` below 1): at the first example, or where the prediction first
    changes on the way from it to the second; the middle of that way where it changes nowhere."""
    margin: float = Field(default=0.25, ge=0)
    """How much farther than its three points the square reaches on each side, as a share of their extent."""
    near: float = Field(default=0.02, gt=0, lt=0.5)
    """What counts as near the decision boundary, as a share of the square's side."""
    through: str = "output"
    """Where the polytopes end: a later layer, or the network's output."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the slices for intervals."""

    @model_validator(mode="after")
    def _classes_of_three_examples(self) -> Self:
        if self.classes is not None and self.plane == "directions":
            raise ValueError("'classes' are of the three examples of 'plane: examples'")
        if self.around == "switch" and self.plane == "directions":
            raise ValueError("'around: switch' is a place between the examples of 'plane: examples'")
        if self.examples is not None and (self.plane == "directions" or len(set(self.examples)) < 3):
            raise ValueError("'examples' are the three different ones of 'plane: examples'")
        return self

    def walks(self, n_rows: int) -> Walks | None:
        """The three sides of each plane through examples, which are less than the plane."""
        if self.plane == "directions":
            return None
        return Walks(3 * self.slices * self.reach, self.through, outputs=True)

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Counts, areas and lengths of every slice, and the first one whole."""
        from polylens.analyses.slice.findings import slice_findings

        return slice_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """The first slice beside the same one of the controls, and the numbers beside controls."""
        from polylens.analyses.slice.pictures import slice_pictures

        return slice_pictures(
            outcomes, shown=1.0 if self.plane == "directions" else self.reach, subject=subject
        )
