"""Match: which of the neighbouring clusters' labels fits this row?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.records import Findings
from polylens.scores import LABEL_NUMBERS, Score, Subject
from polylens.work import Work


class Match(Score):
    """Whether a held-out member is given the label of its own cluster among those of the nearest ones.

    Labels that serve several clusters alike cannot be told apart here, however well each fits. A labeler
    that finds several labels fitting, or none, is right as often as one that draws among them.

    Source: ours, after collisions of human labels (many latents share one label).
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("match.*",)
    numbers: ClassVar[tuple[str, ...]] = ("match.*", *LABEL_NUMBERS)

    members: int = Field(default=12, ge=2)
    """Members of each cluster that are items, at most."""
    among: int = Field(default=5, ge=2, le=10)
    """Labels that one is chosen from: the cluster's own and those of the nearest others."""
    permutations: int = Field(default=1, ge=0)
    """Permutations of labels that a judge is asked about, for chance; rules have 200, free of cost."""
    random_rows: bool = True
    """Whether sets of random rows, as large as the clusters, are labelled and scored as well."""

    def score(self, subject: Subject, work: Work) -> Findings:
        """The share of members that get their own cluster's label, its interval and its chance level."""
        from polylens.scores._scoring import Plan, score_labels
        from polylens.scores.match.asking import WhichLabel

        test = WhichLabel(self.among, work.streams.child("order"))
        plan = Plan(
            test,
            self.judge,
            self.members,
            self.permutations,
            self.random_rows,
            only_members=True,
            least_clusters=2,
        )
        return score_labels(plan, subject, work)
