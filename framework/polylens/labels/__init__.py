"""Labels: what clusters seem to mean, with the evidence."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from polylens.plugin import RowReader
from polylens.records import Labels, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool


class Label(RowReader):
    """A way of labelling that a spec can name."""

    family: ClassVar[str] = "labels"
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal."""
    gives_evidence: ClassVar[bool] = True
    """Whether its labels have shares of held-out rows that they fit: cards of clusters show those."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """All numbers it can give, `*` standing for any text (`matched_ratio.*`); empty where it does not say."""

    of_controls: ClassVar[bool] = True
    """Whether it labels the clusters of controls and sets of random rows as well."""

    of: str
    """Name of the analysis whose clusters are labelled."""

    def contents_digest(self, *, root: Path) -> str:
        """A digest of what a file holds that the fields only name; empty where they name none.

        Args:
            root: folder that relative paths start from.

        Raises:
            DataError: it is not there.
        """
        return ""

    @classmethod
    def answers_by_rule(cls) -> bool:
        """Whether `fits` says by rule which rows a label is right of, so that no judge is needed."""
        return cls.fits is not Label.fits

    def shows(self, analysis: str) -> bool:
        """Whether cards of an analysis' clusters can show its labels with their evidence."""
        return self.gives_evidence and self.of == analysis

    @abstractmethod
    def label(self, rows: Rows, partition: Partition, work: Work) -> Labels:
        """A label for every cluster, each with its evidence and a score with a chance level.

        Args:
            rows: that were partitioned.
            partition: whose clusters are labelled.
            work: randomness, progress, and among how many partitions it is one.

        Raises:
            DataError: the rows carry nothing to name clusters by (such as classes).
        """

    def held_out(self, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"] | None:
        """Which rows are kept from naming, so that scores can be made of them; None where it does not say.

        Args:
            rows: that were partitioned.
            streams: those that `label` was given.
        """
        return None

    def fits(self, labels: Labels, rows: Rows) -> Bool[np.ndarray, "rows clusters"] | None:
        """Whether each row is what the label of each cluster says, by rule; None where that needs a judge.

        Args:
            labels: what `label` gave.
            rows: any rows of the same kind.
        """
        return None
