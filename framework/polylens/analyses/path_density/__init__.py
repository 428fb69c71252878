"""Do boundaries mark the change of meaning along a path from one example to another?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Outcomes, Probe, Probed
from polylens.analyses._pairs import Route
from polylens.analyses._pairs.exactness import exactness
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float64

    from polylens.analyses._pairs.ratios import Kind
    from polylens.analyses._pairs.walks import Walked
    from polylens.analyses.path_density.profiles import Around


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

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("switch_ratio", "switch_ratio_same", "matched_ratio")
    answer: ClassVar[tuple[str, ...]] = ("switch_ratio",)

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
        """Density around switches, along the whole path, and between classes over within."""

        import numpy as np

        from polylens.analyses import _probing as probing
        from polylens.analyses._pairs import ratios, walks
        from polylens.analyses.path_density import profiles
        from polylens.statistics import Blocks, common_bins

        part = probing.recorded_part(probed, through="output")
        points = probing.whole_tensors(rows, part, kind=self.kind())
        notes: list[str] = []
        drawn = ratios.drawn_pairs(ratios.classes_of(rows), count=self.pairs, streams=streams, notes=notes)
        pairs, _ = ratios.pairs_apart(drawn, points, notes=notes)
        exact, units = exactness(part, notes), walks.units_of(part)
        walked: dict[Kind, Walked] = {
            kind: walks.walked(
                part,
                points,
                pairs[kind],
                route=self.path,
                chords=self.chords,
                vertices=self.vertices,
                switches=True,
                kind=kind,
                progress=progress,
            )
            for kind in ratios.KINDS
        }
        lost = sum(len(pairs[kind]) - len(walked[kind].paths) for kind in ratios.KINDS)
        if lost:
            notes.append(f"{lost} pairs lie opposite each other or hold the origin: no great circle.")
        if not all(each.paths for each in walked.values()):
            raise DataError("no pair of one kind has a path between its ends", hint="use path: straight")
        layers = tuple(item.name for item in part.nonlinearities)
        measured = {kind: walked[kind].measured(units) for kind in ratios.KINDS}
        found = ratios.ratio_findings(
            rows,
            measured["same"],
            measured["different"],
            layers=layers,
            measure="crossed_share",
            bins=self.bins,
            resamples=self.resamples,
            streams=streams,
            progress=progress,
            notes=notes,
        )
        blocks = Blocks.of(rows.origins.block)
        times = [
            blocks.multiplicities(streams.generator("resample", number))[blocks.block]
            for number in range(self.resamples)
        ]
        weights = {kind: [walked[kind].pairs.weights(each) for each in times] for kind in ratios.KINDS}
        crossings = {kind: profiles.crossings_of(walked[kind], units) for kind in ratios.KINDS}
        around: dict[Kind, Around] = {}
        with progress.task("exchanging switches", total=2, unit="kinds") as task:
            for kind in ratios.KINDS:
                each = profiles.around_switches(
                    crossings[kind],
                    profiles.switches_of(walked[kind]),
                    near=self.near,
                    pieces=self.around,
                    weights=weights[kind],
                    exchanges=self.resamples,
                    streams=streams.child(kind),
                )
                if each is None:
                    notes.append(f"The prediction switches on no {kind}-class path: no ratio there.")
                else:
                    around[kind] = each
                task.advance()
        along = profiles.along_table(
            crossings,
            layers,
            bins=common_bins(measured["same"].distance, measured["different"].distance, bins=self.bins),
            pieces=self.pieces,
            weights=weights,
            progress=progress,
        )
        n_switches = [len(path.switches) for kind in ratios.KINDS for path in walked[kind].paths]
        return Findings(
            numbers={
                **self._switch_numbers(around, layers),
                **self._counts(walked, weights),
                **found.numbers,
                "exact": exact,
                "zero_distance_pairs": Number(
                    float(ratios.n_pairs(drawn) - ratios.n_pairs(pairs)), unit="pairs"
                ),
                "pairs_without_path": Number(float(lost), unit="pairs"),
            },
            tables={
                "around_switches": profiles.around_table(around, layers),
                "along_paths": along,
                **found.tables,
                "pairs": found.tables["pairs"].assign(switches=np.array(n_switches, dtype=np.int64)),
            },
            notes=tuple(notes),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Density around switches and along paths by layer, beside controls, and the ratios of pairs."""
        from polylens.analyses.path_density.pictures import path_pictures

        words = (
            "straight" if self.path == "straight" else f"spherical, as {self.chords} exact straight chords"
        )
        return path_pictures(outcomes, subject=subject, path=words)

    def _switch_numbers(self, around: Mapping[Kind, Around], layers: tuple[str, ...]) -> dict[str, Number]:
        import numpy as np

        from polylens.statistics import bootstrap_interval, metric_name

        numbers: dict[str, Number] = {}
        order: tuple[Kind, ...] = ("different", "same")
        for kind in order:
            if kind not in around:
                continue
            each, middle = around[kind], self.around
            for place, suffix in [(-1, ()), *((place, (layer,)) for place, layer in enumerate(layers))]:
                value = float(each.relative[place, middle])
                if not np.isfinite(value):
                    continue
                interval = bootstrap_interval(each.resampled[:, place, middle].tolist())
                chance = each.exchanged[:, place, middle]
                name = "switch_ratio" if kind == "different" else "switch_ratio_same"
                numbers[metric_name(name, *suffix)] = Number(
                    value,
                    interval.low,
                    interval.high,
                    interval.meaning,
                    chance=float(np.nanmean(chance)) if np.isfinite(chance).any() else None,
                    chance_is=f"mean of {len(chance)} exchanges of switches between paths"
                    if np.isfinite(chance).any()
                    else "",
                )
        return numbers

    def _counts(
        self, walked: Mapping[Kind, Walked], weights: Mapping[Kind, list[Float64[np.ndarray, "_"]]]
    ) -> dict[str, Number]:
        """The share of paths on which the prediction switches, and how often on average."""
        import numpy as np

        from polylens.statistics import bootstrap_interval

        numbers: dict[str, Number] = {}
        for kind, each in walked.items():
            switches = np.array([len(path.switches) for path in each.paths], dtype=np.float64)
            for name, values in (("switching_share", switches > 0), ("switches_per_path", switches)):
                interval = bootstrap_interval(
                    float(np.average(values, weights=weight)) if weight.any() else None
                    for weight in weights[kind]
                )
                numbers[f"{name}_{kind}"] = Number(
                    float(values.mean()), interval.low, interval.high, interval.meaning
                )
        return numbers
