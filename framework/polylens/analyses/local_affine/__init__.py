"""What affine map does each polytope carry, and how do the maps of neighbours differ?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Outcomes, Probe, Probed
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64

    from polylens.geometry import LocalMaps, Part
    from polylens.statistics import MeasuredPairs, Pairs

_LARGEST = 1 << 22
"""Numbers of one map that are still looked at (32 MiB)."""


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
    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("effective_rank", "ends_ratio", "maps_by_codes")
    answer: ClassVar[tuple[str, ...]] = ("ends_ratio", "maps_by_codes")

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
        """Spectra of maps, and distances of maps between and within classes."""
        import numpy as np

        from polylens.analyses import _probing as probing
        from polylens.analyses.local_affine import numbers as affine
        from polylens.geometry import local_maps, regimes
        from polylens.statistics import class_pairs

        part = self._part(probed)
        points = probing.whole_tensors(rows, part, kind=self.kind())
        if rows.targets is None:
            raise DataError("these rows have no classes, so no maps can be compared within and between them")
        chosen = probing.drawn_rows(rows, count=self.points, generator=streams.generator("points"))
        classes = np.asarray(rows.targets)[chosen]
        points = points[chosen]
        maps = local_maps(part, probing.tensor_of(points), block=256)
        codes = np.concatenate(regimes(part, probing.tensor_of(points).to(part.device))[0], axis=1)
        notes: list[str] = []
        measured: dict[str, MeasuredPairs] = {}
        with progress.task("maps along segments", total=2 * self.pairs, unit="segments") as task:
            for kind in ("same", "different"):
                drawn = class_pairs(
                    classes, same=kind == "same", count=self.pairs, generator=streams.generator("pairs", kind)
                )
                if not len(drawn):
                    raise DataError(
                        f"there is no pair of {'one class' if kind == 'same' else 'two classes'} among them",
                        hint="use more points: each class needs two at least, and there must be two classes",
                    )
                if len(drawn) < self.pairs:
                    notes.append(
                        f"Only {len(drawn)} {kind}-class pairs of these points exist; all were taken."
                    )
                measured[kind] = self._measured(part, points, maps, codes, drawn)
                task.advance(self.pairs)
        same, different = (pairs.chosen(pairs.distance > 0) for pairs in measured.values())
        dropped = (
            sum(len(pairs.pairs) for pairs in measured.values()) - len(same.pairs) - len(different.pairs)
        )
        if dropped:
            notes.append(f"{dropped} pairs of equal points (distance zero) were left out.")
        spectra = maps.spectra()
        zero = int((spectra[:, 0] == 0).sum())
        if zero:
            notes.append(f"{zero} maps are zero: their effective rank is 0.")
        numbers = affine.spectrum_numbers(spectra, resamples=self.resamples, streams=streams)
        numbers |= affine.pair_numbers(
            same,
            different,
            classes,
            maps,
            example=rows.origins.block[chosen],
            bins=self.bins,
            resamples=self.resamples,
            streams=streams,
            notes=notes,
        )
        numbers["zero_distance_pairs"] = Number(float(dropped), unit="pairs")
        numbers["exact"] = Number(1.0)
        return Findings(
            numbers=numbers,
            tables={
                "points": affine.point_table(rows, chosen, spectra),
                "spectrum": affine.spectrum_table(spectra),
                "pairs": affine.pair_table(rows, chosen, same, different),
            },
            notes=tuple(notes),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Numbers, spectra and distances of maps beside controls."""
        from polylens.analyses.local_affine.pictures import affine_pictures

        return affine_pictures(outcomes, subject=subject)

    def _part(self, probed: Probed) -> Part:
        import numpy as np

        from polylens.analyses import _probing as probing

        part = probing.exact_part(probed, through=self.through, kind=self.kind())
        output = probing.numbers_of(part)
        width = int(np.prod(part.shape))
        if output * width > _LARGEST:
            raise DataError(
                f"a map from '{probed.layer}' to '{self.through}' has {output:,} x {width:,} numbers, more "
                f"than {_LARGEST:,}",
                hint="choose a narrower layer, or an earlier 'through'",
            )
        return part

    def _measured(
        self,
        part: Part,
        points: Float32[np.ndarray, "points ..."],
        maps: LocalMaps,
        codes: Int64[np.ndarray, "points units"],
        pairs: Pairs,
    ) -> MeasuredPairs:
        """Pairs with their distance; of each measure its value, times the distance."""
        import numpy as np

        from polylens.analyses import _probing as probing
        from polylens.geometry import local_maps, map_distances, segments_crossings
        from polylens.statistics import MeasuredPairs, segment_lengths

        lengths = segment_lengths(points, pairs=pairs)
        values = np.zeros((len(pairs), 3))
        values[:, 1] = map_distances(maps.matrices[pairs.left], maps.matrices[pairs.right])
        values[:, 2] = (codes[pairs.left] != codes[pairs.right]).mean(axis=1)
        starts, ends = (probing.tensor_of(points[side]) for side in (pairs.left, pairs.right))
        for place, met in enumerate(segments_crossings(part, starts, ends)):
            cells = len(met.midpoints)
            if cells < 2:
                continue
            before = np.unique(np.linspace(0, cells - 2, min(self.steps, cells - 1)).round().astype(np.int64))
            at = np.concatenate([met.midpoints[before], met.midpoints[before + 1]])
            along = probing.tensor_of(at).reshape(-1, *[1] * len(part.shape))
            between = starts[place] + (ends[place] - starts[place]) * along
            matrices = local_maps(part, between, block=256).matrices
            values[place, 0] = map_distances(matrices[: len(before)], matrices[len(before) :]).mean()
        # The engine of densities divides by the distance again, and matches pairs by it.
        return MeasuredPairs(pairs, lengths, values * lengths[:, None])
