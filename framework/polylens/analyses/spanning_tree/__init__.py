"""The tree that clusters are cut from: which rows are joined from which distance on."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from polylens.analyses import WORTH_SHARING, Need, RowAnalysis
from polylens.analyses._partitions.spaces import Metric, On, Scale, check_space, metric_of, why_not_compared
from polylens.records import Findings, Rows
from polylens.work import Work


class SpanningTree(RowAnalysis):
    """The exact minimum spanning tree of mutual reachability, of all rows and of subsamples of the examples.

    `hdbscan` asks for it by itself, and all that ask for the same share one: write it into a spec to read its
    numbers.
    """

    headline: ClassVar[tuple[str, ...]] = ("tied_fraction",)
    numbers: ClassVar[tuple[str, ...]] = (
        "tied_fraction",
        "zero_fraction",
        "median_height",
        "median_core_distance",
    )

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
        """The fields, the metric written out: naming the one that is meant anyway changes no digest."""
        # Codes are of one sort, which their own stage says: l1 is meant where they are graded.
        is_meant = self.on == "code" and self.metric == "l1"
        return {**super().identity(), "metric": metric_of(self.on, None if is_meant else self.metric)}

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """The metric may not fit the codes."""
        return why_not_compared(self.on, self.metric, is_graded=is_graded)

    def run(self, rows: Rows, work: Work) -> Findings:
        """The hierarchy of all rows and those of the subsamples."""
        from polylens.analyses.spanning_tree.findings import spanning_tree_findings

        return spanning_tree_findings(
            self, rows, streams=work.streams, progress=work.progress, keeper=work.keeper
        )

    def compares_pairs(self, n_rows: int) -> bool:
        """Where the trees are of many rows."""
        return min(n_rows, self.sample or n_rows) >= WORTH_SHARING

    def guess_pair_seconds(self, n_rows: int, *, width: int, code_bits: int) -> float | None:
        """From one tree of a few rows at random, by the number of pairs; trees of subsamples are counted."""
        columns = width if self.on == "activation" else code_bits
        if columns == 0 or not self.compares_pairs(n_rows):
            return None
        from polylens.analyses.spanning_tree.guessing import guess_seconds

        return guess_seconds(self, n_rows, columns=columns)

    def rehearse(self) -> None:
        """Compiles both passes over pairs: two groups of rows, too far apart to be joined by the first."""
        import numpy as np

        from polylens.clustering import hierarchy

        points = np.random.default_rng(0).random((96, 16), dtype=np.float32)
        points[48:] += 100.0
        points.setflags(write=False)  # as stored rows are: arrays that can be written are compiled for apart
        metric = metric_of(self.on, self.metric)
        bits = metric in ("hamming", "jaccard")
        hierarchy(np.packbits(points > 0.5, axis=1) if bits else points, metric=metric)

    def on_inputs(self) -> Self:
        """The raw inputs, compared by Euclidean distance."""
        return self.model_copy(update={"on": "activation", "metric": "euclidean"})
