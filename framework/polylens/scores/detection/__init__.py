"""Detection: does the label fit this row?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.records import Findings
from polylens.scores import LABEL_NUMBERS, Score, Subject
from polylens.work import Work


class Detection(Score):
    """Whether a label fits held-out rows of its cluster, and does not fit rows of others.

    Half of the items are members, the others are rows of the nearest clusters and of anywhere else, as many
    of each. So always saying yes is right of half of them, as is guessing.

    Source: Paulo and others (2024), detection; the hard negatives and what it is compared with are ours.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("detection.*",)
    numbers: ClassVar[tuple[str, ...]] = ("detection.*", *LABEL_NUMBERS)

    members: int = Field(default=12, ge=2)
    """Members of each cluster that are items, at most; as many rows of others are."""
    permutations: int = Field(default=1, ge=0)
    """Permutations of labels that a judge is asked about, for chance; rules have 200, free of cost."""
    random_rows: bool = True
    """Whether sets of random rows, as large as the clusters, are labelled and scored as well."""

    def score(self, subject: Subject, work: Work) -> Findings:
        """The share of items that each label is right of, its interval and its chance level."""
        from polylens.scores._scoring import Plan, score_labels
        from polylens.scores.detection.asking import YesOrNo

        plan = Plan(YesOrNo(), self.judge, self.members, self.permutations, self.random_rows)
        return score_labels(plan, subject, work)
