"""How many boundaries pass close to an example?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from polylens.analyses import Keeper, Outcomes, Probe, Probed
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from jaxtyping import Float32, Float64, Int64

    from polylens.geometry import Part

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

    through: str = "output"
    """The last layer whose boundaries count, or the network's output."""
    points: int = Field(default=100, ge=2)
    """Examples that are looked around, drawn evenly from the classes, and as many random points."""
    directions: int = Field(default=20, ge=1)
    """Orthonormal directions, the same for all points; at most as many as the layer has numbers."""
    radii: tuple[Radius, ...] = Field(default=(0.1, 0.005, 0.02, 0.5, 2.0), min_length=1)
    """Distances of the corners, in units that `radii_in` names; numbers without a radius are of the first."""
    radii_in: Literal["space", "neighbours"] = "space"
    """`neighbours`: radii are times the median distance from an example to its nearest other one, so that
    networks whose layers have another scale can be compared."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals."""

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
        """Counts at every radius, of all layers and of each."""
        import numpy as np
        import pandas as pd

        from polylens.analyses import _probing as probing
        from polylens.geometry import random_frame

        part = probing.recorded_part(probed, through=self.through)
        points = probing.whole_tensors(rows, part, kind=self.kind())
        chosen = probing.drawn_rows(rows, count=self.points, generator=streams.generator("points"))
        width = int(np.prod(part.shape))
        frame = random_frame(
            width, directions=min(self.directions, width), generator=streams.torch_generator("directions")
        )
        unit = self._unit(points, chosen)
        low, high = points.min(axis=0), points.max(axis=0)
        drawn = streams.generator("random points").uniform(low, high, size=(len(chosen), *part.shape))
        ids = np.array(rows.origins.example_ids, dtype=object)[rows.origins.example[chosen]]
        names = probing.class_names(rows, chosen)
        lines = []
        with progress.task("counting boundaries", total=2 * len(chosen), unit="points") as task:
            for place, name in enumerate(names):
                lines += self._counted(part, points[chosen[place]], frame, unit, "example", ids[place], name)
                lines += self._counted(
                    part, drawn[place].astype(np.float32), frame, unit, "random point", "", ""
                )
                task.advance(2)
        table = pd.DataFrame(lines)
        notes = [] if not part.obstacles else [f"Nothing exact is known: {part.obstacles[0]}."]
        if len(frame) < self.directions:
            notes.append(f"The layer has {len(frame)} numbers: so many directions were taken.")
        return Findings(
            numbers={"radius_unit": Number(unit)} | self._numbers(table, part, streams),
            tables={"points": table, "layers": _layer_table(table), "classes": _class_table(table)},
            notes=tuple(notes),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Counts against the radius, by layer and by class, beside controls."""
        from polylens.analyses.local_complexity.pictures import complexity_pictures

        return complexity_pictures(outcomes, subject=subject)

    def _unit(self, points: Float32[np.ndarray, "rows ..."], chosen: Int64[np.ndarray, "chosen"]) -> float:
        """What a radius of 1 is in the layer's space."""
        import numpy as np

        from polylens.statistics import nearest_neighbours

        if self.radii_in == "space":
            return 1.0
        unit = float(np.median(nearest_neighbours(points, of=chosen).distance))
        if not 0 < unit < np.inf:
            raise DataError(
                "most examples equal another one, or there is only one: radii have no unit",
                hint="say radii_in: space",
            )
        return unit

    def _counted(
        self,
        part: Part,
        point: Float32[np.ndarray, "..."],
        frame: Float64[torch.Tensor, "directions width"],
        unit: float,
        at: str,
        example: str,
        name: str,
    ) -> list[dict[str, object]]:
        """One line for each radius and layer, and one for all layers."""
        import numpy as np

        from polylens.analyses import _probing as probing
        from polylens.geometry import local_complexities

        lines: list[dict[str, object]] = []
        radii = [unit * radius for radius in self.radii]
        found = local_complexities(part, probing.tensor_of(point), radii=radii, frame=frame)
        for radius, counts in zip(self.radii, found, strict=True):
            each = [
                {
                    "sampled": counts.sampled[layer],
                    "met": counts.met[layer] if counts.exact else np.nan,
                    "crossed": counts.crossed[layer].mean() if counts.exact else np.nan,
                }
                for layer in counts.sampled
            ]
            every = {column: sum(line[column] for line in each) for column in ("sampled", "met", "crossed")}
            for layer, line in zip([*counts.sampled, "all"], [*each, every], strict=True):
                about = {"at": at, "example": example, "class": name, "radius": radius, "layer": layer}
                lines.append({**about, **line})
        return lines

    def _numbers(self, table: pd.DataFrame, part: Part, streams: Streams) -> dict[str, Number]:
        import numpy as np

        from polylens.statistics import bootstrap_number, metric_name, rank_correlation

        def means(values: Float64[np.ndarray, "n two"]) -> float:
            below = values[:, 1].mean()
            return float(values[:, 0].mean() / below) if below > 0 else float("nan")

        def related(values: Float64[np.ndarray, "n two"]) -> float:
            return rank_correlation(values[:, 0], values[:, 1])

        numbers: dict[str, Number] = {}
        for radius in self.radii:
            here = table[table["radius"] == radius]
            suffix = () if radius == self.radii[0] else (f"r{radius:g}",)
            example, random = (here[here["at"] == at] for at in ("example", "random point"))
            every, beside = (part[part["layer"] == "all"] for part in (example, random))

            def number(name: str, values: object, measure: object, of: tuple[str, ...] = suffix) -> None:
                found = bootstrap_number(
                    np.asarray(values, dtype=np.float64),
                    measure,  # type: ignore[arg-type]
                    resamples=self.resamples,
                    generator=streams.generator("resample", name, *of),
                )
                if np.isfinite(found.value):
                    numbers[metric_name(name, *of)] = found

            for column in ("sampled", "met", "crossed"):
                number(column, every[column], np.mean)
            both = np.stack([every["sampled"], beside["sampled"]], axis=1)
            number("over_random_points", both, means)
            number("sampled_finds", every[["sampled", "met"]], means)
            number("correlation", every[["sampled", "crossed"]], related)
            for layer in () if suffix else here["layer"].unique():
                if layer != "all":
                    number("sampled", example.loc[example["layer"] == layer, "sampled"], np.mean, (layer,))
        numbers["exact"] = Number(float(not part.obstacles))
        return numbers


def _layer_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean counts by where points lie, radius and layer."""
    columns = ["sampled", "met", "crossed"]
    return table.groupby(["at", "radius", "layer"], sort=False)[columns].mean().reset_index()


def _class_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean counts around examples by class, radius and layer."""
    columns = ["sampled", "met", "crossed"]
    examples = table[table["at"] == "example"]
    return examples.groupby(["class", "radius", "layer"], sort=True)[columns].mean().reset_index()
