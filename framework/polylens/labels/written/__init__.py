"""Labels in words, written by a judge that is shown rows of a cluster and rows of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.judges import TALLY_NUMBERS, Judge
from polylens.labels import Label
from polylens.records import Labels, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool


class Written(Label):
    """A label of a few words for each cluster, from rows of one half of the examples.

    The judge is shown rows of the cluster, half of them among its firmest and half drawn at random, and as a
    contrast rows of the nearest other clusters and of anywhere else; of a language model also the tokens that
    members raise most. Images are shown to judges that take them; others are told the classes that each is
    near to. It answers with a label, with how many meanings it sees (one, several, unclear), and why. A label
    in words says nothing of itself: give the spec `scores`, which hold it against rows that nobody saw.

    Source: Bills and others (2023) and Paulo and others (2024) for explanations by a model; tokens that
    are raised after Gur-Arieh and others (2025). The contrast, the split and the draws are ours.
    """

    version: ClassVar[int] = 2
    gives_evidence: ClassVar[bool] = False
    headline: ClassVar[tuple[str, ...]] = ("labelled_fraction", "one_meaning")
    numbers: ClassVar[tuple[str, ...]] = (
        "labelled_fraction",
        "one_meaning",
        "same_words",
        *TALLY_NUMBERS,
    )

    judge: Judge
    """Who writes."""
    rows: int = Field(default=20, ge=4)
    """Rows of the cluster that are shown, at most."""
    contrast: int = Field(default=10, ge=0)
    """Rows of other clusters that are shown."""
    raised: int = Field(default=8, ge=0, le=100)
    """Tokens that the network makes likelier at rows of the cluster than at all rows, shown beside them; only
    of language models whose output is logits of tokens. They are of the writing half."""
    words: int = Field(default=8, ge=1, le=40)
    """Words of a label, at most."""
    draws: int = Field(default=3, ge=1, le=10)
    """How often it is asked, each time with other rows; the first answer is the label, the others say how
    much it hangs on the rows."""
    holdout: float = Field(default=0.5, gt=0, lt=1)
    """Share of the examples that is kept from writing and used for scores."""

    def label(self, rows: Rows, partition: Partition, work: Work) -> Labels:
        """A label for every cluster with rows in the writing half."""
        from polylens.labels.written.writing import written_labels

        return written_labels(self, rows, partition, work)

    def held_out(self, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
        """The rows that the judge was not shown: those that rules keep from naming, too."""
        from polylens.labels._splits import shared_split

        return shared_split(rows, self.holdout, streams)
