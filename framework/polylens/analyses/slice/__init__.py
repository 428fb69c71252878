"""What do the polytopes of a plane through three examples look like?"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import Keeper, Outcomes, Probe, Probed
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from polylens.analyses.slice.frames import Frame
    from polylens.geometry import Part
    from polylens.geometry import Slice as Found


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

    headline: ClassVar[tuple[str, ...]] = ("cells", "cells_per_region", "near_decision", "certificate_holds")
    answer: ClassVar[tuple[str, ...]] = ("near_decision_ratio",)

    plane: Literal["examples", "directions"] = "examples"
    """Through three examples of three classes, or through one along two directions drawn at random."""
    classes: tuple[str, str, str] | None = None
    """Of the three examples; without them, three classes are drawn for every slice."""
    slices: int = Field(default=5, ge=1)
    """How many are made; the first one is drawn."""
    reach: float = Field(default=1.0, gt=0)
    """How far the plane's other two corners are on the way from the first example to the other two. With
    directions: how far the square reaches, in distances to the nearest other example."""
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
        return self

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
        """Counts, areas and lengths of every slice, and the first one whole."""
        import pandas as pd

        from polylens.analyses import _probing as probing
        from polylens.analyses.slice import frames, tables

        part = probing.exact_part(probed, through=self.through, kind=self.kind())
        points = probing.whole_tensors(rows, part, kind=self.kind())
        lines: list[dict[str, object]] = []
        first: tuple[Frame, Found] | None = None
        with progress.task("slices", total=self.slices, unit="slices") as task:
            for number in range(self.slices):
                generator = streams.generator("plane", number)
                if self.plane == "examples":
                    frame = frames.through_examples(
                        rows, points, self.classes, reach=self.reach, margin=self.margin, generator=generator
                    )
                else:
                    frame = frames.along_directions(points, reach=self.reach, generator=generator)
                found = self._slice(part, frame)
                lines.append(tables.slice_line(rows, frame, found, near=self.near))
                first = first or (frame, found)
                task.advance()
        assert first is not None
        table = pd.DataFrame(lines)
        notes = []
        undecided = int((table["decision_length"] == 0).sum())
        if undecided:
            notes.append(f"In {undecided} of {len(table)} slices nothing changes the prediction.")
        return Findings(
            numbers=self._numbers(table, streams),
            tables={"slices": table} | tables.drawn_tables(rows, probed, part, *first),
            notes=tuple(notes),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """The first slice beside the same one of the controls, and the numbers beside controls."""
        from polylens.analyses.slice.pictures import slice_pictures

        return slice_pictures(outcomes, subject=subject)

    def _slice(self, part: Part, frame: Frame) -> Found:
        import numpy as np

        from polylens.analyses import _probing as probing
        from polylens.geometry import plane_slice

        widest = max(int(np.prod(part.shapes[item.name])) for item in part.nonlinearities)
        return plane_slice(
            part,
            *(probing.tensor_of(point) for point in (frame.origin, frame.across, frame.up)),
            corners=frame.square,
            # At least 128 vertices in a batch.
            memory=max(2**24, 128 * 8 * widest),
            keep_codes=False,
        )

    def _numbers(self, table: pd.DataFrame, streams: Streams) -> dict[str, Number]:
        import numpy as np

        from polylens.statistics import bootstrap_number

        def number(name: str, columns: list[str], chance: float | None = None) -> Number:
            def measure(values: np.ndarray) -> float:
                means = values.mean(axis=0)
                if len(means) == 1:
                    return float(means[0])
                return float(means[0] / means[1]) if means[1] > 0 else float("nan")

            return bootstrap_number(
                table[columns].to_numpy(np.float64),
                measure,
                resamples=self.resamples,
                generator=streams.generator("resample", name),
                chance=chance,
                chance_is="the decision boundary turned and mirrored within the square",
            )

        decided = table[table["decision_length"] > 0]
        numbers = {
            "cells": number("cells", ["cells"]),
            "median_cell_share": number("median_cell_share", ["median_cell_share"]),
            "regions": number("regions", ["regions"]),
            "cells_per_region": number("cells_per_region", ["cells_per_region"]),
            "certificate_holds": Number(float(table["certificate_holds"].mean())),
            "area_error": Number(float(table["area_error"].max())),
            "euler": Number(float(table["euler"].mean())),
            "repeated_codes": Number(float(table["repeated_codes"].sum())),
            "output_error": Number(float(table["output_error"].max())),
            "names_polytopes": Number(1.0),
            "exact": Number(1.0),
            "undecided_slices": Number(float(len(table) - len(decided)), unit="slices"),
        }
        if len(decided):
            table = decided
            chance = float(decided["near_mirrored"].mean())
            numbers["near_decision"] = number("near_decision", ["near_decision"], chance)
            if chance > 0:
                numbers["near_decision_ratio"] = number(
                    "near_decision_ratio", ["near_decision", "near_mirrored"], 1.0
                )
        return numbers
