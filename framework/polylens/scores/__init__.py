"""Scores: whether labels say of held-out rows which cluster they are in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from polylens.judges import TALLY_NUMBERS, Judge
from polylens.labels import Label
from polylens.plugin import Plugin
from polylens.records import Findings, Labels, Partition, Rows, Told
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool

__all__ = ["LABEL_NUMBERS", "Labeler", "Score", "Subject"]

LABEL_NUMBERS = (
    "random_rows.*",
    "strong_fraction.*",
    "distinct_labels.*",
    "scored_clusters",
    "token_entropy",
    *TALLY_NUMBERS,
)
"""Numbers that every score of labels can give, beside its own; `*` stands for the name of a label."""


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


class Score(Plugin):
    """A way of scoring labels that a spec can name."""

    family: ClassVar[str] = "scores"
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal; `*` stands for the name of a label."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """All numbers it can give, `*` standing for any text; empty where it does not say."""
    needs_labels: ClassVar[bool] = True
    """Whether it is of labels; others are of clusters alone."""

    of: str
    """Name of the analysis whose clusters are scored."""
    labels: tuple[str, ...] = ()
    """Names of the labels that are scored; all labels of that analysis where left out."""
    judge: Judge | None = None
    """Who says whether a row fits a label. Labels of rules answer by rule and ask nobody."""

    @abstractmethod
    def score(self, subject: Subject, work: Work) -> Findings:
        """The scores, with their intervals and chance levels, and every item in a table.

        Args:
            subject: clusters, their labels and rows.
            work: randomness, progress, and how judges are asked.

        Raises:
            DataError: a label needs a judge and the score has none; or the labels cannot be scored together.
        """
