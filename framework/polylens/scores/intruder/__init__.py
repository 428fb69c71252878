"""Intruder: which of these rows does not belong?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.errors import DataError
from polylens.judges import TALLY_NUMBERS
from polylens.records import Findings
from polylens.scores import Asks, Score, Subject
from polylens.work import Work


class Intruder(Score):
    """Whether a judge finds the one row that is not of a cluster among its members. It needs no label.

    Half of the intruders are of the nearest cluster, the others of anywhere else. Who guesses finds one of
    as many as there are rows.

    Source: Paulo and Belrose (2025), intruder detection; hard intruders and random sets are ours.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("intruder", "least_lead")
    numbers: ClassVar[tuple[str, ...]] = (
        "intruder",
        "random_rows",
        "scored_clusters",
        *("directions.*", "lead_over_*", "least_lead", "compared_clusters"),
        *TALLY_NUMBERS,
    )
    needs_labels: ClassVar[bool] = False
    asks: ClassVar[Asks] = "always"

    groups: int = Field(default=10, ge=2)
    """Groups of rows of each cluster."""
    members: int = Field(default=4, ge=2, le=9)
    """Members in a group; one intruder is put among them."""
    random_rows: bool = True
    """Whether the same is done with sets of random rows, as large as the clusters."""

    def score(self, subject: Subject, work: Work) -> Findings:
        """The share of intruders that are found, with its interval over clusters."""
        from polylens.scores.intruder.finding import find_intruders

        if self.judge is None:
            raise DataError(
                "nobody is there to find intruders",
                hint="give the score a judge, such as judge: {kind: compatible, model: NAME}",
            )
        return find_intruders(self, self.judge, subject, work)
