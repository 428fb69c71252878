"""Are boundaries denser between classes than within them, counted exactly?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Outcomes, Probe, Probed
from polylens.analyses._pairs.exactness import exactness
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float64

    from polylens.analyses._pairs.ratios import Kind
    from polylens.analyses._pairs.walks import Walked


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
    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("matched_ratio", "raw_ratio", "endpoint_share")
    answer: ClassVar[tuple[str, ...]] = ("matched_ratio", "endpoint_share")

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
        """The ratios, of all layers and of each alone, beside what the ends show."""
        from polylens.analyses import _probing as probing
        from polylens.analyses._pairs import ratios, walks
        from polylens.statistics import MeasuredPairs

        part = probing.recorded_part(probed, through=self.through)
        points = probing.whole_tensors(rows, part, kind=self.kind())
        notes: list[str] = []
        drawn = ratios.drawn_pairs(ratios.classes_of(rows), count=self.pairs, streams=streams, notes=notes)
        pairs, _ = ratios.pairs_apart(drawn, points, notes=notes)
        exact, units = exactness(part, notes), walks.units_of(part)
        walked: dict[Kind, Walked] = {}
        measured: dict[Kind, MeasuredPairs] = {}
        for kind in ratios.KINDS:
            walked[kind] = walks.walked(
                part,
                points,
                pairs[kind],
                vertices=self.vertices,
                switches=False,
                kind=kind,
                progress=progress,
            )
            measured[kind] = walked[kind].measured(units)
        layers = tuple(item.name for item in part.nonlinearities)
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
        numbers = {
            **found.numbers,
            **self._totals(walked, rows, layers, streams),
            "exact": exact,
            "zero_distance_pairs": Number(float(ratios.n_pairs(drawn) - ratios.n_pairs(pairs)), unit="pairs"),
        }
        return replace(found, numbers=numbers, notes=tuple(notes))

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Ratios by layer beside controls, what the ends show, and the class-by-class matrix."""
        from polylens.analyses.crossing_density.pictures import crossing_pictures

        return crossing_pictures(outcomes, subject=subject)

    def _totals(
        self, walked: Mapping[Kind, Walked], rows: Rows, layers: tuple[str, ...], streams: Streams
    ) -> dict[str, Number]:
        """Crossings per unit length, and the share of crossings that the two ends show, over all pairs."""
        import numpy as np

        from polylens.analyses._pairs.ratios import KINDS
        from polylens.statistics import Blocks, bootstrap_interval, metric_name

        blocks = Blocks.of(rows.origins.block)
        times = [
            blocks.multiplicities(streams.generator("resample", number))[blocks.block]
            for number in range(self.resamples)
        ]
        crossed = {kind: walked[kind].crossings(len(layers)) for kind in KINDS}
        shown = {kind: np.array([path.differing for path in walked[kind].paths]) for kind in KINDS}
        lengths = {kind: np.array([path.length for path in walked[kind].paths]) for kind in KINDS}
        weights = {kind: [walked[kind].pairs.weights(each) for each in times] for kind in KINDS}
        numbers: dict[str, Number] = {}

        def add(name: str, above: list[np.ndarray], below: list[np.ndarray], kinds: list[Kind]) -> None:
            def ratio(weight: Mapping[Kind, Float64[np.ndarray, "_"]]) -> float:
                pieces = list(zip(kinds, above, below, strict=True))
                bottom = sum(float(weight[kind] @ values) for kind, _, values in pieces)
                top = sum(float(weight[kind] @ values) for kind, values, _ in pieces)
                return top / bottom if bottom > 0 else float("nan")

            value = ratio({kind: np.ones(len(walked[kind].paths)) for kind in kinds})
            if np.isfinite(value):
                found = bootstrap_interval(
                    ratio({kind: weights[kind][number] for kind in kinds}) for number in range(self.resamples)
                )
                numbers[name] = Number(value, found.low, found.high, found.meaning)

        for kind in KINDS:
            add(f"crossings_per_length_{kind}", [crossed[kind].sum(1)], [lengths[kind]], [kind])
        both = list(KINDS)
        add(
            "endpoint_share",
            [shown[kind].sum(1) for kind in both],
            [crossed[kind].sum(1) for kind in both],
            both,
        )
        for place, layer in enumerate(layers):
            add(
                metric_name("endpoint_share", layer),
                [shown[kind][:, place] for kind in both],
                [crossed[kind][:, place] for kind in both],
                both,
            )
        return numbers
