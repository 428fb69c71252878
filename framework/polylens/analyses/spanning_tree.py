"""The tree that clusters are cut from: which rows are joined from which distance on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from polylens.analyses import Keeper, Need, RowAnalysis
from polylens.analyses._partitions.spaces import (
    Metric,
    On,
    Scale,
    check_space,
    metric_for,
    metric_of,
    why_not_compared,
)
from polylens.progress import Progress
from polylens.records import Findings, Hierarchy, Number, Rows, Subhierarchy
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.clustering import Points

_WORTH_KEEPING = 10_000
"""Rows from which on a tree takes longer to make than to keep."""


class SpanningTree(RowAnalysis):
    """The exact minimum spanning tree of mutual reachability, of all rows and of subsamples of the examples.

    `hdbscan` asks for it by itself, and all that ask for the same share one: write it into a spec to read its
    numbers.
    """

    headline: ClassVar[tuple[str, ...]] = ("tied_fraction",)

    on: On
    """What is compared: the rows' activations, or their codes (bits, or the numbers of graded ones)."""
    metric: Metric | None = None
    """How rows are compared: euclidean, cosine or l1 for activations, hamming or jaccard for codes, l1 for
    graded codes. Without it: the first of these."""
    scale: Scale = "none"
    """What is done to each column of the activations first: nothing, its mean taken off, or also its standard
    deviation made 1."""
    min_samples: int = Field(default=5, ge=1)
    """Neighbours that make a core point, the point itself counted."""
    sample: int | None = Field(default=None, ge=2)
    """Past this many rows, the trees are of a random sample of so many: exact for it, an approximation for
    the others. Without it: of all rows."""
    subsamples: int = Field(default=10, ge=0)
    """How many random 80 % of the examples get a tree of their own, for intervals."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_space(self.on, self.metric, self.scale)
        if self.sample is not None and self.sample < self.min_samples:
            raise ValueError("'sample' is below 'min_samples'")
        return self

    def identity(self) -> dict[str, Any]:
        """The same whether the metric is named or meant."""
        # Codes are of one sort, which their own stage says: l1 is meant where they are graded.
        is_meant = self.on == "code" and self.metric == "l1"
        return {**super().identity(), "metric": metric_of(self.on, None if is_meant else self.metric)}

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """The metric may not fit the codes."""
        return why_not_compared(self.on, self.metric, is_graded=is_graded)

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """The hierarchy of all rows and those of the subsamples."""
        import numpy as np

        from polylens.analyses._partitions.stability import common_subsamples, sampled_rows
        from polylens.clustering import row_bits, row_points

        points = row_points(rows, on=self.on, scale=self.scale, packed=True)
        bits, metric = row_bits(rows, on=self.on), metric_for(rows, on=self.on, metric=self.metric)
        sample = sampled_rows(rows, most=self.sample, streams=streams)
        if len(sample) < len(rows):
            points = points[sample]
        drawn = common_subsamples(
            rows, count=self.subsamples, streams=streams, at_least=max(self.min_samples, 2), among=sample
        )
        subs: list[Subhierarchy] = []
        made = partial(_tree, metric=metric, min_samples=self.min_samples, bits=bits, progress=progress)
        with progress.task("spanning trees", total=1 + len(drawn), unit="trees") as task:
            found = made(points, keeper=keeper)
            task.advance()
            for number, chosen in drawn.items():
                kept = None if keeper is None else keeper.part(f"subsample_{number}")
                places = np.searchsorted(sample, chosen)
                subs.append(Subhierarchy(chosen, made(points[places], keeper=kept)))
                task.advance()
        return Findings(numbers=_numbers(found), hierarchy=found, subhierarchies=tuple(subs))

    def rehearse(self) -> None:
        """Compiles both passes over pairs: two groups of rows, too far apart to be joined by the first."""
        import numpy as np

        from polylens.clustering import hierarchy

        places = np.random.default_rng(0).random((96, 16), dtype=np.float32)
        places[48:] += 100.0
        metric = metric_of(self.on, self.metric)
        bits = metric in ("hamming", "jaccard")
        hierarchy(np.packbits(places > 0.5, axis=1) if bits else places, metric=metric)

    def on_inputs(self) -> Self:
        """The raw inputs, compared by Euclidean distance."""
        return self.model_copy(update={"on": "activation", "metric": "euclidean"})


def _tree(
    points: Points,
    *,
    metric: Metric,
    min_samples: int,
    bits: int | None,
    keeper: Keeper | None,
    progress: Progress,
) -> Hierarchy:
    """One tree; a large one that was finished before an interrupt is not made again."""
    from polylens.clustering import hierarchy

    if keeper is None or len(points) < _WORTH_KEEPING:
        return hierarchy(points, metric=metric, min_samples=min_samples, bits=bits, progress=progress)
    kept = keeper.load("tree")
    if kept is not None:
        return Hierarchy(
            **kept, metric=metric, min_samples=min_samples, bits=bits if metric == "hamming" else None
        )
    made = hierarchy(
        points, metric=metric, min_samples=min_samples, bits=bits, keeper=keeper, progress=progress
    )
    keeper.save("tree", {"order": made.order, "heights": made.heights, "core": made.core})
    return made


def _numbers(found: Hierarchy) -> dict[str, Number]:
    import numpy as np

    heights = np.sort(found.heights)
    tied = np.zeros(len(heights), dtype=bool)
    equal = heights[1:] == heights[:-1]
    tied[1:] |= equal
    tied[:-1] |= equal
    return {
        "tied_fraction": Number(float(tied.mean())),
        "zero_fraction": Number(float((heights == 0).mean())),
        "median_height": Number(float(np.median(heights)), unit=found.metric),
        "median_core_distance": Number(float(np.median(found.core)), unit=found.metric),
    }
