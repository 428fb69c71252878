"""Are boundaries denser between classes than within them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from polylens.analyses import Keeper, Need, Outcomes, RowAnalysis
from polylens.progress import Progress
from polylens.records import Codes, Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from jaxtyping import Float32, Int64

    from polylens.statistics import MeasuredPairs

Kind = Literal["same", "different"]
"""Whether the two ends of a pair are of one class."""


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
        from polylens.errors import DataError
        from polylens.statistics import (
            Blocks,
            common_bins,
            density_ratios,
            ratio_numbers,
            ratio_table,
            resampled_ratios,
            shuffled_ratios,
        )

        activations, codes, targets = _whole_examples(rows)
        blocks = Blocks.of(rows.origins.example)
        layers = tuple(layer.name for layer in codes.scheme.layers)
        notes: list[str] = []
        kinds: tuple[Kind, ...] = ("same", "different")
        drawn = [self._measure(activations, codes, targets, kind, streams, notes) for kind in kinds]
        same, different = (pairs.chosen(pairs.distance > 0) for pairs in drawn)
        dropped = sum(len(pairs.pairs) for pairs in drawn) - len(same.pairs) - len(different.pairs)
        if dropped:
            notes.append(f"{dropped} pairs of equal points (distance zero) were left out.")
        if not len(same.pairs) or not len(different.pairs):
            raise DataError("all pairs of one kind are of equal points: there is no density")
        bins = common_bins(same.distance, different.distance, bins=self.bins)
        if bins is None:
            notes.append("The two kinds of pairs have no distance in common: nothing can be matched.")

        resampled, shuffled = [], []
        with progress.task("resampling pairs", total=2 * self.resamples, unit="resamples") as task:
            for ratios in resampled_ratios(
                same, different, bins=bins, blocks=blocks, resamples=self.resamples, streams=streams
            ):
                resampled.append(ratios)
                task.advance()
            for ratios in shuffled_ratios(
                same,
                different,
                classes=targets[blocks.first],
                n_bins=self.bins,
                permutations=self.resamples,
                streams=streams,
            ):
                shuffled.append(ratios)
                task.advance()

        observed = density_ratios(same, different, bins=bins)
        numbers = ratio_numbers(observed, layers=layers, resampled=resampled, shuffled=shuffled)
        if rows.codes is not None:
            numbers["names_polytopes"] = Number(float(rows.codes.scheme.names_polytopes))
        numbers["pairs_same"] = Number(float(len(same.pairs)), unit="pairs")
        numbers["pairs_different"] = Number(float(len(different.pairs)), unit="pairs")
        numbers["zero_distance_pairs"] = Number(float(dropped), unit="pairs")
        undefined = [layer for layer, code in zip(layers, observed.same_code, strict=False) if not code]
        if undefined:
            notes.append(f"No same-class pair differs in {', '.join(undefined)}: no ratio there.")
        return Findings(
            numbers=numbers,
            tables={
                "ratios": ratio_table(observed, layers=layers, resampled=resampled, shuffled=shuffled),
                "classes": self._class_table(rows, same, different),
                "pairs": _pair_table(rows, same, different),
            },
            notes=tuple(notes),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Ratios by layer beside controls, how the distances overlap, and the class-by-class matrix."""
        from polylens.analyses._density_pictures import density_pictures

        return density_pictures(outcomes, subject=subject)

    def _measure(
        self,
        activations: Float32[np.ndarray, "rows width"],
        codes: Codes,
        targets: Int64[np.ndarray, "rows"],
        kind: Kind,
        streams: Streams,
        notes: list[str],
    ) -> MeasuredPairs:
        """Pairs of one kind with their distances; says where there are fewer than asked for."""
        import numpy as np

        from polylens.errors import DataError
        from polylens.statistics import MeasuredPairs, class_pairs, code_distances, segment_lengths

        drawn = class_pairs(
            targets, same=kind == "same", count=self.pairs, generator=streams.generator("pairs", kind)
        )
        if not len(drawn):
            raise DataError(
                f"there is no pair of {'one class' if kind == 'same' else 'two classes'}",
                hint="use more examples: each class needs two at least, and there must be two classes",
            )
        if len(drawn) < self.pairs:
            notes.append(f"Only {len(drawn)} {kind}-class pairs exist; all were taken.")
        code = code_distances(codes, pairs=drawn)
        pooled = np.concatenate([code, code.mean(1, keepdims=True)], axis=1)
        return MeasuredPairs(drawn, segment_lengths(activations, pairs=drawn), pooled)

    def _class_table(self, rows: Rows, same: MeasuredPairs, different: MeasuredPairs) -> pd.DataFrame:
        """One line for each two classes (or each one): means over their pairs, all layers pooled."""
        import numpy as np
        import pandas as pd

        from polylens.statistics import common_bins, relative_density

        bins = common_bins(same.distance, different.distance, bins=self.bins)
        relative = np.full(len(same.pairs) + len(different.pairs), np.nan)
        if bins is not None:
            relative = np.concatenate(relative_density(bins, same.density[:, -1], different.density[:, -1]))
        both = same.joined(different)
        ends = np.asarray(rows.targets)[np.stack([both.pairs.left, both.pairs.right])]
        table = pd.DataFrame(
            {
                "first": ends.min(0),
                "second": ends.max(0),
                "pairs": 1,
                "distance": both.distance,
                "code_distance": both.code[:, -1],
                "density": both.density[:, -1],
                "relative_density": relative,
            }
        )
        means = table.groupby(["first", "second"], as_index=False).agg(
            {"pairs": "sum"} | dict.fromkeys(table.columns[3:], "mean")
        )
        for column, end in (("class_a", "first"), ("class_b", "second")):
            means.insert(0 if end == "first" else 1, column, [rows.classes[index] for index in means[end]])
        return means.drop(columns=["first", "second"])


def _whole_examples(
    rows: Rows,
) -> tuple[Float32[np.ndarray, "rows width"], Codes, Int64[np.ndarray, "rows"]]:
    """Activations, codes and classes of rows that are whole examples.

    Raises:
        DataError: the rows are positions, or lack activations, codes or classes.
    """
    import numpy as np

    from polylens.errors import DataError

    if rows.activations is None or rows.codes is None:
        raise DataError("pair_density needs activations and codes", hint="give the spec a 'code:'")
    if rows.targets is None:
        raise DataError("these rows have no classes, so there are no same-class pairs")
    if rows.origins.grid or len(np.unique(rows.origins.example)) != len(rows):
        raise DataError(
            "pair_density needs one row per example: the segment between two points is a segment of whole "
            f"tensors of '{rows.layer}', and these rows are single positions",
            hint="say 'positions: all' in the code, and leave 'sampling' out",
        )
    return rows.activations, rows.codes, np.asarray(rows.targets)


def _pair_table(rows: Rows, same: MeasuredPairs, different: MeasuredPairs) -> pd.DataFrame:
    """One line a pair: its examples, its distance and its code distance, all layers pooled."""
    import numpy as np
    import pandas as pd

    both, ids = same.joined(different), np.array(rows.origins.example_ids, dtype=object)
    return pd.DataFrame(
        {
            "left": ids[rows.origins.example[both.pairs.left]],
            "right": ids[rows.origins.example[both.pairs.right]],
            "same_class": np.arange(len(both.pairs)) < len(same.pairs),
            "distance": both.distance,
            "code_distance": both.code[:, -1],
        }
    )
