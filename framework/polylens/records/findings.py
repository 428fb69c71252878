"""What analyses and labels give: numbers, tables, a partition, labels, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from polylens.errors import DataError
from polylens.records.label_records import LabelRecord
from polylens.showing import html_table
from polylens.wording import largest, short, small_chance

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from jaxtyping import Float32, Float64, Int64

MAJORITY = 0.5
"""A name fits more than this share of a cluster's held-out rows."""
NOISE = -1
"""The label of rows that belong to no cluster; the only sentinel in records."""


_MOST_SHOWN = 30
"""Clusters that a notebook shows of a partition."""


def _rest(count: int) -> str:
    return f"and {count - _MOST_SHOWN:,} smaller clusters" if count > _MOST_SHOWN else ""


def count_clusters(labels: Int64[np.ndarray, "rows"]) -> int:
    """How many clusters there are, noise not counted.

    >>> import numpy as np
    >>> count_clusters(np.array([0, 1, NOISE]))
    2
    """
    return int(labels.max(initial=NOISE)) + 1


RangeKind = Literal["interval", "stability", "draws"]
"""What lies between `low` and `high`: an interval of uncertainty (it holds the true value at its level), the
range over clusterings of fewer examples (which says how stable a number is and nothing of its error), or the
least and the greatest of several draws."""


@dataclass(frozen=True)
class Number:
    """A measured number with its range and its level under chance, where they are known."""

    value: float
    low: float | None = None
    high: float | None = None
    interval: str = ""
    """What the range is, such as `5 to 95 % of 200 resamples of the examples`."""
    range_is: RangeKind = field(default="interval", kw_only=True)
    chance: float | None = None
    """What the number is by chance, such as with labels shuffled; `chance_is` says how."""
    chance_is: str = ""
    unit: str = ""

    @property
    def reach(self) -> float:
        """The size of the number or of an end of its range, whichever is largest: finer digits say nothing.

        >>> Number(-0.0001, -0.02, 0.03).reach
        0.03
        """
        return largest((self.value, self.low, self.high))


@dataclass(frozen=True)
class Alternative:
    """A partition of the rows at another size of clusters, or of a subsample of them."""

    name: str
    """`min_cluster_size` or `subsample`."""
    value: int
    """The size, or the subsample's number."""
    rows: Int64[np.ndarray, "chosen"]
    """Which rows were partitioned."""
    labels: Int64[np.ndarray, "chosen"]


@dataclass(frozen=True)
class Hierarchy:
    """Single linkage of rows by mutual reachability: which rows are joined from which height on.

    Two rows are joined at the largest of the `heights` between them in `order`. The form is canonical:
    whatever minimum spanning tree it was made from, and however equal heights were sorted, it is the same.
    """

    order: Int64[np.ndarray, "rows"]
    """Every row once: of the groups joined at one height, the one with the lowest row comes first."""
    heights: Float64[np.ndarray, "gaps"]
    """Height at which each row of `order` and the next are joined, in the metric's unit; sorted, these are
    the weights of every minimum spanning tree."""
    core: Float64[np.ndarray, "rows"]
    """Core distance of each row: to its `min_samples`-th neighbour, itself counted."""
    metric: str
    min_samples: int
    bits: int | None = None
    """How many bits Hamming distances are shares of; None for other metrics."""


@dataclass(frozen=True)
class Subhierarchy:
    """The hierarchy of a subsample of the rows."""

    rows: Int64[np.ndarray, "chosen"]
    """Which rows were taken, rising."""
    hierarchy: Hierarchy


@dataclass(frozen=True, repr=False)
class Partition:
    """Clusters of rows. Labels are 0, 1, ... by falling size; -1 is noise."""

    labels: Int64[np.ndarray, "rows"]
    strength: Float32[np.ndarray, "rows"]
    """How firmly each row belongs to its cluster, in [0, 1]; 0 for noise."""
    exemplars: Int64[np.ndarray, "clusters"]
    """Row index of each cluster's medoid: the member with the least summed distance to the others."""
    method: str = ""
    """One phrase for captions, such as `HDBSCAN of activations (euclidean, min_cluster_size 5)`."""
    space: str = "activation"
    """`activation` or `code`: what was partitioned."""
    persistence: Float64[np.ndarray, "clusters"] | None = None
    """How long each cluster lasts over the heights, in [0, 1]; None where the method has no heights."""
    lifetimes: Float64[np.ndarray, "clusters 2"] | None = None
    """Heights at which each cluster joins others, and at which it splits or its last rows leave; None
    where the method has no heights."""
    hierarchy: Hierarchy | None = None
    """What the clusters were cut from; None where the method has none or does not show it."""
    alternatives: tuple[Alternative, ...] = ()

    @property
    def n_clusters(self) -> int:
        """How many clusters there are, noise not counted."""
        return count_clusters(self.labels)

    @property
    def coverage(self) -> float:
        """Share of rows that are in a cluster (1 - noise)."""
        return float((self.labels != NOISE).mean()) if len(self.labels) else 0.0

    def __repr__(self) -> str:
        return f"Partition({self._in_words})"

    def _repr_html_(self) -> str:
        """Each cluster's size, medoid and mean strength, as notebooks show them."""
        rows = []
        for cluster in range(min(self.n_clusters, _MOST_SHOWN)):
            members = self.labels == cluster
            rows.append(
                (
                    str(cluster),
                    f"{members.sum():,}",
                    f"{members.mean():.3f}",
                    str(self.exemplars[cluster]),
                    f"{self.strength[members].mean():.2f}",
                )
            )
        columns = ("cluster", "rows", "share", "medoid (row)", "mean strength")
        return html_table(self._in_words, columns, rows, note=_rest(self.n_clusters))

    @property
    def _in_words(self) -> str:
        clusters = f"{self.n_clusters:,} cluster{'s' * (self.n_clusters != 1)}"
        method = f"{self.method}: " if self.method else ""
        return f"{method}{clusters} of {len(self.labels):,} rows, coverage {self.coverage:.2f}"


@dataclass(frozen=True, repr=False)
class Findings:
    """What one analysis found."""

    numbers: Mapping[str, Number] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    partition: Partition | None = None
    hierarchy: Hierarchy | None = None
    """Of all rows, where the analysis makes one for others to cut."""
    subhierarchies: tuple[Subhierarchy, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences a reader of the numbers must know, such as how many pairs were left out."""
    undefined: Mapping[str, str] = field(default_factory=dict)
    """Names of numbers that do not exist here, and why: `{"purity": "no clusters"}`. They are not 0."""

    def __repr__(self) -> str:
        numbers = ", ".join(
            f"{name} {short(number.value, beside=number.reach)}" for name, number in self.numbers.items()
        )
        partition = "" if self.partition is None else f"; {self.partition!r}"
        return f"Findings({numbers or 'no numbers'}; tables: {', '.join(self.tables) or 'none'}{partition})"

    def clusters(self, name: str, *, to: str = "") -> Partition:
        """The partition, for who cannot do without.

        Args:
            name: of the analysis that found this, for the message.
            to: what was to be done with the clusters, such as `score`.

        Raises:
            DataError: the analysis gives none.
        """
        if self.partition is None:
            raise DataError(f"'{name}' gives no clusters{f' to {to}' if to else ''}")
        return self.partition


@dataclass(frozen=True)
class ClusterLabel:
    """What one cluster seems to mean, and how good the evidence is."""

    cluster: int
    guess: str
    """What the naming rows suggest; empty where no row was there to suggest anything."""
    size: int
    share: float
    """Share of the cluster's held-out members that the guess fits, in [0, 1]."""
    lift: float
    """That share over the guess's share among all held-out rows."""
    chance_lift: float
    """The family-wise chance level of the lift for a cluster of this size."""
    p_value: float
    """Family-wise adjusted."""
    above_chance: bool
    """Whether held-out rows bear the guess out beyond the family-wise chance level: not that it is pure."""

    @property
    def named(self) -> bool:
        """Whether the guess is the cluster's name: above chance, and right of more than half of its rows."""
        return self.above_chance and bool(self.guess) and self.share > MAJORITY

    @property
    def text(self) -> str:
        """What people are shown: the name, or that there is none and why.

        >>> from dataclasses import replace
        >>> label = ClusterLabel(0, "cat", 40, 0.9, 3.0, chance_lift=2.0, p_value=0.01, above_chance=True)
        >>> label.text, replace(label, share=0.3).text, replace(label, above_chance=False).text
        ('cat', 'mixed, more cat', 'no name')
        """
        if self.named:
            return self.guess
        return f"mixed, more {self.guess}" if self.above_chance and self.guess else "no name"


@dataclass(frozen=True, repr=False)
class Labels:
    """The labels of one partition's clusters."""

    clusters: tuple[ClusterLabel, ...]
    numbers: Mapping[str, Number] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    undefined: Mapping[str, str] = field(default_factory=dict)
    """Names of numbers that do not exist here, and why, as of findings."""
    written: tuple[LabelRecord, ...] = ()
    """Labels in words, which have no share of rows that they fit: only a judge can say. `clusters` is empty
    then; a cluster that nobody was asked about has no record."""

    def __repr__(self) -> str:
        return f"Labels({self._in_words})"

    def guesses(self, n_clusters: int) -> list[str]:
        """What each cluster is called, borne out or not; empty where it is called nothing."""
        called = {each.cluster: each.guess for each in self.clusters}
        called |= {each.cluster: each.text for each in self.written}
        return [called.get(cluster, "") for cluster in range(n_clusters)]

    def _repr_html_(self) -> str:
        """Each cluster's label with its evidence, as notebooks show them."""
        if self.written:
            lines = [(str(each.cluster), each.text, each.meanings, each.note) for each in self.written]
            heads = ("cluster", "label", "meanings", "why")
            return html_table(self._in_words, heads, lines[:_MOST_SHOWN], note=_rest(len(lines)))
        columns = ("cluster", "label", "rows", "share", "lift", "lift by chance", "p")
        rows = [
            (
                str(entry.cluster),
                entry.text,
                f"{entry.size:,}",
                short(entry.share),
                short(entry.lift),
                short(entry.chance_lift),
                small_chance(entry.p_value),
            )
            for entry in self.clusters[:_MOST_SHOWN]
        ]
        return html_table(self._in_words, columns, rows, note=_rest(len(self.clusters)))

    @property
    def _in_words(self) -> str:
        if self.written:
            texts = sum(bool(each.text) for each in self.written)
            return f"{texts} of {len(self.written):,} clusters with a label in words"
        named = sum(entry.named for entry in self.clusters)
        clusters = f"{len(self.clusters):,} cluster{'s' * (len(self.clusters) != 1)}"
        return f"{clusters}, {named} with a name that most of the held-out rows fit"


@dataclass(frozen=True)
class Figure:
    """One picture, ready to be shown."""

    name: str
    """File name without ending, such as `cluster-sizes`."""
    title: str
    caption: str
    """Says model, layer, rows, and polytope or proxy."""
    png: bytes = field(repr=False)
    alt: str = ""
    """What the picture shows, for readers who cannot see it."""

    def _repr_png_(self) -> bytes:
        """The picture, as notebooks show it."""
        return self.png
