"""Labels: what clusters seem to mean, with the evidence."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from polylens.plugin import RowReader
from polylens.records import Labels, Partition, Rows
from polylens.work import Work


class Label(RowReader):
    """A way of labelling that a spec can name."""

    family: ClassVar[str] = "labels"
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """All numbers it can give, `*` standing for any text (`matched_ratio.*`); empty where it does not say."""

    of: str
    """Name of the analysis whose clusters are labelled."""

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
