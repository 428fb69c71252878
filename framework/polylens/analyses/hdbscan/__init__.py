"""Clusters of high density, and noise between them."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import NETWORK, WORTH_SHARING, Analysis, Need, Outcomes, RowAnalysis
from polylens.analyses._partitions.spaces import Metric, On, Scale, check_space, metric_for, why_not_compared
from polylens.plugin import OnceEach
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class Hdbscan(RowAnalysis):
    """HDBSCAN* clusters of activations or of codes, with the clusterings that quality and intervals need.

    All of them are cut from one spanning tree of the rows and one of each subsample, in a stage of their own
    (`spanning_tree`). Only `on`, `metric`, `scale`, `min_samples` and `subsamples` change the trees; all else
    is read from them in moments.
    """

    version: ClassVar[int] = 4
    headline: ClassVar[tuple[str, ...]] = ("clusters", "coverage")
    numbers: ClassVar[tuple[str, ...]] = (
        "clusters",
        "coverage",
        "noise_rows",
        "mean_persistence",
        "stability_adjusted_rand",
        "stability_adjusted_mutual_information",
    )
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
    curve: OnceEach[int] = (5, 10, 20, 50)
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
        if self.sample is not None and self.sample < max(self.neighbours, self.min_cluster_size):
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
            min_samples=self.neighbours,
            sample=self.sample,
            subsamples=self.subsamples,
        )

    def compares_pairs(self, n_rows: int) -> bool:
        """Where many rows are assigned to the clusters of a sample: its trees are made before."""
        return self.sample is not None and n_rows - self.sample >= WORTH_SHARING

    def run(self, rows: Rows, work: Work) -> Findings:
        """The partition, with the alternatives of `curve` and `subsamples`."""
        from polylens.analyses.hdbscan.findings import hdbscan_findings

        return hdbscan_findings(
            self, rows, streams=work.streams, upstream=work.upstream, progress=work.progress
        )

    @property
    def neighbours(self) -> int:
        """Neighbours that make a core point, the point itself counted."""
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
