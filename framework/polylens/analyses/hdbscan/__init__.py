"""Clusters of high density, and noise between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import GROUNDWORK, NETWORK, Analysis, Keeper, Need, Outcomes, RowAnalysis
from polylens.analyses._partitions.spaces import Metric, On, Scale, check_space, metric_for, why_not_compared
from polylens.progress import Progress
from polylens.records import (
    Alternative,
    Figure,
    Findings,
    Hierarchy,
    Number,
    Partition,
    Rows,
)
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.clustering import Points


class Hdbscan(RowAnalysis):
    """HDBSCAN* clusters of activations or of codes, with the clusterings that quality and intervals need.

    All of them are cut from one spanning tree of the rows and one of each subsample, in a stage of their own
    (`spanning_tree`). Only `on`, `metric`, `scale`, `min_samples` and `subsamples` change the trees; all else
    is read from them in moments.
    """

    version: ClassVar[int] = 4
    headline: ClassVar[tuple[str, ...]] = ("clusters", "coverage")
    gives_partition: ClassVar[bool] = True

    on: On
    """What is clustered: the rows' activations, or their codes (bits, or the numbers of graded ones)."""
    metric: Metric | None = None
    """How rows are compared: euclidean, cosine or l1 for activations, hamming or jaccard for codes, l1 for
    graded codes. Without it: the first of these."""
    scale: Scale = "none"
    """What is done to each column of the activations first: nothing, its mean taken off, or also its standard
    deviation made 1."""
    min_cluster_size: int = Field(default=5, ge=2)
    """Fewest rows of a cluster. With `sample`: of the sample."""
    min_samples: int | None = Field(default=None, ge=1)
    """Neighbours that make a core point, the point itself counted, at every size of `curve` as well. Without
    it: min_cluster_size, so that another min_cluster_size takes another spanning tree."""
    selection: Literal["eom", "leaf"] = "eom"
    """Which clusters of the hierarchy are kept: the most persistent (`eom`), or the finest (`leaf`)."""
    max_cluster_size: int | None = Field(default=None, ge=2)
    """Most rows of a cluster: larger ones give way to those inside of them, and where there are none their
    rows are noise; `epsilon` takes none together beyond it. With `sample`: of the sample, which other rows
    join. Not beside `ties: library` with `leaf` or `epsilon`. Without it: no limit."""
    epsilon: float = Field(default=0.0, ge=0.0)
    """Clusters that split at a distance below this, in the metric's unit, are taken together again, as far as
    `max_cluster_size` allows."""
    ties: Literal["at_once", "library"] = "at_once"
    """How rows at equal distance are joined: `at_once`, so that the order of the rows cannot matter; or one
    after the other, as scikit-learn does (`library`): for comparison, slow, and without a tree to share."""
    sample: int | None = Field(default=None, ge=2)
    """Past this many rows, a random sample of so many is clustered exactly and every other row is assigned to
    the sample's clusters: an approximation, by which small clusters are missed. `curve` and `subsamples` are
    of the sample alone. Without it: all rows, exactly."""
    curve: tuple[int, ...] = (5, 10, 20, 50)
    """Further min_cluster_sizes, for the curve of purity against coverage; those above `max_cluster_size` or
    the number of rows are left out."""
    subsamples: int = Field(default=10, ge=0)
    """How many random 80 % of the examples are clustered again, for intervals and stability."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_space(self.on, self.metric, self.scale)
        if any(size < 2 for size in self.curve):
            raise ValueError("each min_cluster_size of 'curve' must be 2 or more")
        if self.max_cluster_size is not None and self.max_cluster_size < self.min_cluster_size:
            raise ValueError("'max_cluster_size' is below 'min_cluster_size'")
        if self.sample is not None and self.sample < max(self._neighbours, self.min_cluster_size):
            raise ValueError("'sample' is below 'min_samples' or 'min_cluster_size'")
        if self.ties == "library":
            if self.sample is not None:
                raise ValueError("'sample' needs 'ties: at_once': the library cannot assign further rows")
            if self.max_cluster_size is not None and (self.selection == "leaf" or self.epsilon > 0):
                raise ValueError(
                    "'max_cluster_size' beside 'selection: leaf' or 'epsilon' needs 'ties: at_once': the "
                    "library keeps larger clusters there"
                )
        return self

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """The metric may not fit the codes."""
        return why_not_compared(self.on, self.metric, is_graded=is_graded)

    def groundwork(self) -> Analysis | None:
        """The spanning trees that the clusters are cut from."""
        from polylens.analyses.spanning_tree import SpanningTree

        if self.ties == "library":
            return None
        return SpanningTree(
            on=self.on,
            metric=self.metric,
            scale=self.scale,
            min_samples=self._neighbours,
            sample=self.sample,
            subsamples=self.subsamples,
        )

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """The partition, with the alternatives of `curve` and `subsamples`."""
        from polylens.analyses._partitions.stability import (
            common_subsamples,
            left_out_notes,
            sampled_rows,
            stability,
        )
        from polylens.analyses._partitions.tables import cluster_table
        from polylens.clustering import hdbscan_of_sample, row_bits, row_points

        points = row_points(rows, on=self.on, scale=self.scale, packed=True)
        bits, metric = row_bits(rows, on=self.on), metric_for(rows, on=self.on, metric=self.metric)
        sample = sampled_rows(rows, most=self.sample, streams=streams)
        some = points if len(sample) == len(rows) else points[sample]
        at_least = max(self._neighbours, 2)
        drawn = common_subsamples(
            rows, count=self.subsamples, streams=streams, at_least=at_least, among=sample
        )
        trees = upstream.get(GROUNDWORK)
        whole = None if trees is None else trees.hierarchy
        subs = [None] * len(drawn) if trees is None else [sub.hierarchy for sub in trees.subhierarchies]
        most = len(sample) if self.max_cluster_size is None else min(self.max_cluster_size, len(sample))
        sizes = [size for size in sorted(set(self.curve)) if size <= most]
        found: list[Alternative] = []
        again: list[Partition] = []
        with progress.task("clustering", total=1 + len(sizes) + len(drawn), unit="clusterings") as task:
            cut = self._cut(some, metric, bits=bits, of=whole)
            task.advance()
            for size in sizes:
                other = (
                    cut
                    if size == self.min_cluster_size
                    else self._cut(some, metric, bits=bits, of=whole, size=size, exemplars=False)
                )
                found.append(Alternative("min_cluster_size", size, sample, other.labels))
                task.advance()
            for (number, chosen), sub in zip(drawn.items(), subs, strict=True):
                again.append(self._cut(points[chosen], metric, bits=bits, of=sub, exemplars=False))
                found.append(Alternative("subsample", number, chosen, again[-1].labels))
                task.advance()
        partition = cut
        if len(sample) < len(rows):
            partition = hdbscan_of_sample(points, sample=sample, of_sample=cut, progress=progress)

        notes = () if partition.n_clusters else ("No cluster was found: every row is noise.",)
        return Findings(
            numbers={
                **_numbers(partition, again),
                **stability(partition, found, example=rows.origins.block, streams=streams),
            },
            undefined={} if partition.n_clusters else {"mean_persistence": "no clusters"},
            tables={"clusters": cluster_table(rows, partition)},
            partition=replace(partition, space=self.on, alternatives=tuple(found)),
            notes=(*notes, *left_out_notes(drawn, count=self.subsamples, at_least=at_least)),
        )

    def _cut(
        self,
        points: Points,
        metric: Metric,
        *,
        bits: int | None,
        of: Hierarchy | None,
        size: int | None = None,
        exemplars: bool = True,
    ) -> Partition:
        from polylens.clustering import hdbscan

        found = hdbscan(
            points,
            metric=metric,
            min_cluster_size=size or self.min_cluster_size,
            min_samples=self._neighbours,
            selection=self.selection,
            max_cluster_size=self.max_cluster_size,
            epsilon=self.epsilon,
            ties=self.ties,
            of=of,
            exemplars=exemplars,
            bits=bits,
        )
        scaled = "" if self.scale == "none" else f", scale {self.scale}"
        return replace(found, method=f"{found.method} of {self.on}s{scaled}")

    @property
    def _neighbours(self) -> int:
        return self.min_cluster_size if self.min_samples is None else self.min_samples

    def on_inputs(self) -> Self:
        """The raw inputs, clustered alike by Euclidean distance, without `epsilon`: its unit is another."""
        return self.model_copy(update={"on": "activation", "metric": "euclidean", "epsilon": 0.0})

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """The tree, sizes, a map of the rows, distances, and codes by cluster, for the network."""
        from polylens.analyses._partitions.pictures import partition_pictures
        from polylens.analyses.hdbscan.pictures import tree_pictures

        own = outcomes[NETWORK][0]
        metric = metric_for(own.rows, on=self.on, metric=self.metric)
        tree = tree_pictures(
            own,
            metric=metric,
            min_cluster_size=self.min_cluster_size,
            selection=self.selection,
            max_cluster_size=self.max_cluster_size,
            epsilon=self.epsilon,
            subject=subject,
        )
        sizes, *others = partition_pictures(own, on=self.on, metric=metric, scale=self.scale, subject=subject)
        return (sizes, *tree, *others)


def _numbers(partition: Partition, again: Sequence[Partition]) -> dict[str, Number]:
    """Counts and shares, with their range over the partitions of subsamples."""
    from polylens.statistics import stability_range

    def number(of: Callable[[Partition], float | None]) -> Number | None:
        value, spread = of(partition), stability_range(map(of, again))
        if value is None:
            return None
        return Number(value, spread.low, spread.high, spread.meaning, range_is=spread.range_is)

    numbers = {
        "clusters": number(lambda part: float(part.n_clusters)),
        "coverage": number(lambda part: part.coverage),
        "mean_persistence": number(_mean_persistence),
        "noise_rows": Number(float((partition.labels < 0).sum()), unit="rows"),
    }
    return {name: found for name, found in numbers.items() if found is not None}


def _mean_persistence(partition: Partition) -> float | None:
    lasting = partition.persistence
    return None if lasting is None or not len(lasting) else float(lasting.mean())
