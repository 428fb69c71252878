"""Datasets: examples with stable ids, prepared for one network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

from polylens.datasets._shuffled import shuffled_targets
from polylens.plugin import Plugin
from polylens.progress import Progress, Silent
from polylens.records import Examples, InputFormat
from polylens.streams import Streams

__all__ = ["Dataset", "Opening", "shuffled_targets"]


@dataclass(frozen=True)
class Opening:
    """What `open` takes besides the network's format; a new service is a field here."""

    streams: Streams
    """Randomness of splits and draws; the same seed gives the same examples."""
    root: Path
    """Folder that relative data roots start from."""
    limit: int | None = None
    """At most this many examples, still drawn as the dataset draws."""
    split: Literal["train"] | None = None
    """`train` opens the examples kept for training instead of those the spec names; datasets that keep none
    raise."""
    cache: Path | None = None
    """Folder for what is worth remembering between runs, such as which files are whole; losing it costs time
    and nothing else."""
    progress: Progress = field(default_factory=Silent)
    """Where long checks are shown."""


class Dataset(Plugin):
    """Examples that a spec can name."""

    family: ClassVar[str] = "datasets"
    carries: ClassVar[frozenset[str] | None] = None
    """Which of `classes` and `tokens` every row of it has; None where that is known only once it is open."""

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This dataset with relative folders looked up by `find`; unchanged where it has none."""
        return self

    def carried(self) -> frozenset[str] | None:
        """`carries`, or what this dataset's fields say of it."""
        return self.carries

    def row_targets(self) -> tuple[str, ...]:
        """Names of the targets that rows have beside the classes of examples, such as tags of words."""
        return ()

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
    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The examples, as inputs in `input_format`.

        Args:
            input_format: what the network takes.
            opening: randomness, where relative paths start, how many examples and which part of them.

        Raises:
            UsageError: the network takes images, and these are texts, or the other way round.
            DataError: nothing usable is there; says what was looked for and what to do.
        """
