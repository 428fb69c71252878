"""Are boundaries denser between classes than within them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Need, Outcomes, RowAnalysis
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32


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

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """The ratios, of all layers and of each alone, with intervals over examples."""
        import numpy as np

        from polylens.analyses._pairs import ratios
        from polylens.statistics import MeasuredPairs, code_distances

        activations, codes = _whole_examples(rows)
        notes: list[str] = []
        drawn = ratios.drawn_pairs(ratios.classes_of(rows), count=self.pairs, streams=streams, notes=notes)
        pairs, lengths = ratios.pairs_apart(drawn, activations, notes=notes)
        measured = {}
        for kind in ratios.KINDS:
            code = code_distances(codes, pairs=pairs[kind])
            pooled = np.concatenate([code, code.mean(1, keepdims=True)], axis=1)
            measured[kind] = MeasuredPairs(pairs[kind], lengths[kind], pooled)
        found = ratios.ratio_findings(
            rows,
            measured["same"],
            measured["different"],
            layers=tuple(layer.name for layer in codes.scheme.layers),
            measure="code_distance",
            bins=self.bins,
            resamples=self.resamples,
            streams=streams,
            progress=progress,
            notes=notes,
        )
        numbers = {
            **found.numbers,
            "names_polytopes": Number(float(codes.scheme.names_polytopes)),
            "zero_distance_pairs": Number(float(ratios.n_pairs(drawn) - ratios.n_pairs(pairs)), unit="pairs"),
        }
        return replace(found, numbers=numbers)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Ratios by layer beside controls, how the distances overlap, and the class-by-class matrix."""
        from polylens.analyses._pairs.pictures import density_pictures

        return density_pictures(outcomes, subject=subject)


def _whole_examples(rows: Rows) -> tuple[Float32[np.ndarray, "rows width"], Codes]:
    """Activations and codes of rows that are whole examples.

    Raises:
        DataError: the rows are positions, or lack activations or codes.
    """
    import numpy as np

    if rows.activations is None or rows.codes is None:
        raise DataError("pair_density needs activations and codes", hint="give the spec a 'code:'")
    if rows.origins.grid or len(np.unique(rows.origins.example)) != len(rows):
        raise DataError(
            "pair_density needs one row per example: the segment between two points is a segment of whole "
            f"tensors of '{rows.layer}', and these rows are single positions",
            hint="say 'positions: all' in the code, and leave 'sampling' out",
        )
    return rows.activations, rows.codes
