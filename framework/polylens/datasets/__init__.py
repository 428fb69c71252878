"""Datasets: examples with stable ids, prepared for one network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal, Self

from polylens.datasets._shuffled import shuffled_targets
from polylens.plugin import Plugin
from polylens.progress import Progress
from polylens.records import Examples, InputFormat
from polylens.streams import Streams

__all__ = ["Dataset", "shuffled_targets"]


class Dataset(Plugin):
    """Examples that a spec can name."""

    family: ClassVar[str] = "datasets"
    carries: ClassVar[frozenset[str] | None] = None
    """Which of `classes` and `tokens` every row of it has; None where that is known only once it is open."""

    def located(self, find: Callable[[str], Path]) -> Self:
        """The same dataset with relative folders looked up by `find`; unchanged where it has none."""
        return self

    def missing(self, *, root: Path) -> Path | None:
        """The folder or file that it names and that is not on this machine; None where nothing is missing.

        Args:
            root: folder that relative data roots start from.
        """
        return None

    def source_in_words(self) -> str:
        """Where the examples come from, as a report says it; empty where the kind's name says it."""
        return ""

    @abstractmethod
    def open(
        self,
        input_format: InputFormat,
        *,
        streams: Streams,
        root: Path,
        limit: int | None = None,
        split: Literal["train"] | None = None,
        cache: Path | None = None,
        progress: Progress | None = None,
    ) -> Examples:
        """The examples, as inputs in `input_format`.

        Args:
            input_format: what the network takes.
            streams: randomness of splits and draws; the same seed gives the same examples.
            root: folder that relative data roots start from.
            limit: at most this many examples, still drawn as the dataset draws.
            split: `train` opens the examples kept for training instead of those the spec names; datasets that
                keep none raise.
            cache: folder for what is worth remembering between runs, such as which files are whole; losing it
                costs time and nothing else.
            progress: where long checks are shown.

        Raises:
            UsageError: the network takes images, and these are texts, or the other way round.
            DataError: nothing usable is there; says what was looked for and what to do.
        """
