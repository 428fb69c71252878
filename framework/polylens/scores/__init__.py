"""Scores: whether labels say of held-out rows which cluster they are in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from polylens.judges import TALLY_NUMBERS, Judge
from polylens.labels import Label
from polylens.plugin import Plugin
from polylens.records import Figure, Findings, Grouping, Labels, Partition, Rows, Told
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool

__all__ = ["LABEL_NUMBERS", "Asks", "Labeler", "Score", "Subject"]

LABEL_NUMBERS = (
    *("random_rows.*", "strong_fraction.*", "distinct_labels.*", "scored_clusters", "token_entropy"),
    *("directions.*", "lead_over_*", "least_lead.*", "compared_clusters.*"),
    *TALLY_NUMBERS,
)
"""Numbers that every score of labels can give, beside its own; `*` stands for the name of a label."""
_BESIDE = ("directions", "lead_over_", "least_lead", "compared_clusters")
"""How names of numbers begin that scores give of clusters `beside` directions alone."""


@dataclass(frozen=True)
class Labeler:
    """One label of the spec, and what it says of the clusters that are scored."""

    name: str
    """Its name in the spec."""
    label: Label
    labels: Labels
    rows: Rows
    """The rows as it saw them."""
    streams: Streams
    """The randomness that it was given."""
    among: int = 1
    """How many partitions the spec labels."""
    known: dict[bytes, Labels] = field(default_factory=dict, repr=False, compare=False)
    """What it said of other row sets, by their bytes: several scores ask for the same ones."""

    def relabelled(self, partition: Partition, work: Work) -> Labeler:
        """The labeler with what it says of other sets of the same rows.

        Args:
            partition: the row sets.
            work: of the score: progress, and how judges are asked.
        """
        key = partition.labels.tobytes() + partition.exemplars.tobytes()
        if key not in self.known:
            services = replace(work, streams=self.streams, among=self.among, upstream={})
            self.known[key] = self.label.label(self.rows, partition, services)
        return replace(self, labels=self.known[key])

    @cached_property
    def fits(self) -> Bool[np.ndarray, "rows clusters"] | None:
        """Whether each row is what the label of each cluster says, by rule; None where there is no rule."""
        return self.label.fits(self.labels, self.rows)

    def held_out(self) -> Bool[np.ndarray, "rows"] | None:
        """Which rows it did not see; None where it does not say."""
        return self.label.held_out(self.rows, self.streams)


@dataclass(frozen=True)
class Subject:
    """The clusters that are scored, their labels, and their rows as a judge is shown them."""

    rows: Rows
    partition: Partition
    labelers: Mapping[str, Labeler]
    """By their names in the spec; all are scored on the same rows."""
    shown: Callable[[int], Told]
    """What a judge is told of a row, by its number."""
    beside: Mapping[str, Grouping] = field(default_factory=dict)
    """Row sets of directions by family, which get labels of the same labelers."""


Asks = Literal["nobody", "of texts", "always"]
"""Whether a score asks a judge: never, of labels that no rule holds against rows, or always."""


class Score(Plugin):
    """A way of scoring labels that a spec can name."""

    family: ClassVar[str] = "scores"
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal; `*` stands for the name of a label."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """All numbers it can give, `*` standing for any text; empty where it does not say."""
    later_fields: ClassVar[frozenset[str]] = frozenset({"beside"})
    needs_labels: ClassVar[bool] = True
    """Whether it is of labels; others are of clusters alone."""
    asks: ClassVar[Asks] = "of texts"
    """Whether a judge is asked."""

    of: str
    """Name of the analysis whose clusters are scored."""
    labels: tuple[str, ...] = ()
    """Names of the labels that are scored; all labels of that analysis where left out."""
    judge: Judge | None = None
    """Who says whether a row fits a label. Labels of rules answer by rule and ask nobody."""
    beside: str | None = None
    """Name of an analysis `directions` of the same clusters. The rows of its neurons and other directions, as
    many as each cluster has, are then labelled by the same labelers and scored alike."""

    @property
    def given_numbers(self) -> tuple[str, ...]:
        """Those of `numbers` that it gives with its fields as they are."""
        is_beside = self.beside is not None
        return tuple(name for name in self.numbers if is_beside or not name.startswith(_BESIDE))

    def contents_digest(self, *, root: Path) -> str:
        """A digest of what files that the fields only name hold: the judge's, or the score's own.

        Args:
            root: folder that relative paths start from.

        Raises:
            DataError: they are not there.
        """
        return "" if self.judge is None else self.judge.contents_digest(root=root)

    @abstractmethod
    def score(self, subject: Subject, work: Work) -> Findings:
        """The scores, with their intervals and chance levels, and every item in a table.

        Args:
            subject: clusters, their labels and rows.
            work: randomness, progress, and how judges are asked.

        Raises:
            DataError: a label needs a judge and the score has none; or the labels cannot be scored together.
        """

    def draw(self, outcomes: Mapping[str, tuple[Findings, ...]], *, subject: str) -> tuple[Figure, ...]:
        """Pictures of clusters beside directions, the network beside its controls; none without `beside`.

        Args:
            outcomes: what was found, draw by draw, by variant: `network`, the controls' names, `raw_inputs`.
            subject: the sentence every caption ends with: model, layer, rows, polytope or proxy.
        """
        if self.beside is None:
            return ()
        from polylens.scores._pictures import beside_pictures

        return beside_pictures(self.kind(), outcomes, subject=subject)
