"""Labels: what clusters seem to mean, with the evidence."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from polylens.plugin import Plugin
from polylens.progress import Progress
from polylens.records import Labels, Partition, Rows
from polylens.streams import Streams


class Label(Plugin):
    """A way of labelling that a spec can name."""

    family: ClassVar[str] = "labels"
    asks: ClassVar[frozenset[str]] = frozenset()
    """Which of `classes` and `tokens` rows must have: a spec is checked for a dataset that carries them."""
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal."""

    of: str
    """Name of the analysis whose clusters are labelled."""

    @abstractmethod
    def label(
        self, rows: Rows, partition: Partition, *, streams: Streams, progress: Progress, among: int = 1
    ) -> Labels:
        """A label for every cluster, each with its evidence and a score with a chance level.

        Args:
            rows: that were partitioned.
            partition: whose clusters are labelled.
            streams: all randomness; name each draw.
            progress: where long work shows itself.
            among: how many partitions the spec labels, of all its layers together. A level of chance is of
                all of them: each takes its share (Bonferroni), so that more layers do not mean more names by
                chance.

        Raises:
            DataError: the rows carry nothing to name clusters by (such as classes).
        """
