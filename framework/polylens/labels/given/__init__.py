"""Labels that people gave, read from a sheet that they filled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from polylens.digests import file_sha256
from polylens.errors import DataError
from polylens.labels import Label
from polylens.records import Labels, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool

HOLDOUT = 0.5
"""Share of the examples of which people are shown no row: labels are scored on these."""


class Given(Label):
    """Labels of a person, from a sheet that `polylens label RUN --export` wrote and the person filled.

    They take part in scores as labels in words of a judge do. The sheet must be of the very clusters that the
    spec finds: it shows rows of one half of the examples, and scores use the other. Nobody labels the
    controls' clusters in it, nor random rows, so these have no such scores; a blind sheet is for that.

    Source: ours.
    """

    gives_evidence: ClassVar[bool] = False
    of_controls: ClassVar[bool] = False
    headline: ClassVar[tuple[str, ...]] = ("labelled_fraction", "one_meaning")
    numbers: ClassVar[tuple[str, ...]] = ("labelled_fraction", "one_meaning")

    file: str
    """The sheet (CSV or JSON), or a version that an import kept; a relative one starts from the project. What
    it holds is part of every digest."""
    author: str = ""
    """Whose labels; may be left out where the sheet has one author."""

    def contents_digest(self, *, root: Path) -> str:
        """The sha256 of the sheet."""
        return file_sha256(self.path(root))

    def path(self, root: Path) -> Path:
        """Where the sheet lies.

        Raises:
            DataError: it is not there.
        """
        path = root / Path(self.file).expanduser()
        if not path.is_file():
            raise DataError(
                f"there is no sheet '{self.file}'", hint="a relative file starts from the project"
            )
        return path

    def label(self, rows: Rows, partition: Partition, work: Work) -> Labels:
        """The label of every cluster that the person labelled or judged."""
        from polylens.labels.given.reading import given_labels

        return given_labels(self, rows, partition, work)

    def held_out(self, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
        """The rows that the person was not shown: those that rules keep from naming, too."""
        from polylens.labels._splits import shared_split

        return shared_split(rows, HOLDOUT, streams)
