"""Which of several labels fits this row: by rule, or by a judge's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.judges import LETTERS, question
from polylens.records import Answer, Question
from polylens.scores._trial import Trial
from polylens.streams import Streams


@dataclass(frozen=True)
class WhichLabel:
    """One row, several labels: which is its cluster's?"""

    among: int
    """How many labels."""
    streams: Streams
    """Puts them in order."""
    name: str = "match"
    template: str = (
        "Groups of rows of data have been given labels. You are shown one row and the labels of several "
        "groups, each with a letter. Say which label fits the row best. A row of text is one token with the "
        "text before and after it: a label is about the token where it stands. A row that is an image is "
        "attached, or told by the classes that it is near to. Answer with the letter."
    )

    def guess(self, trial: Trial) -> float:
        """One of as many labels as there are to choose from, which few clusters make fewer."""
        return 1 / min(self.among, len(trial.items.scored))

    def by_rule(
        self, fits: Bool[np.ndarray, "rows clusters"], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> Float64[np.ndarray, "items"]:
        """How often drawing among the labels that fit, or among all where none does, finds the own one."""
        items = trial.items
        candidates = self._candidates(trial)[np.searchsorted(items.scored, items.cluster)]
        fitting = fits[items.row[:, None], whose[candidates]]
        fitting |= ~fitting.any(axis=1, keepdims=True)
        return np.asarray(fitting[:, 0] / fitting.sum(axis=1))

    def questions(
        self, texts: Sequence[str], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> list[Question | None]:
        """One question an item, its labels in any order; none where the own cluster has no label."""
        asked: list[Question | None] = []
        orders = self._orders(trial)
        for place, (cluster, row) in enumerate(_pairs(trial)):
            labels = [texts[whose[each]] for each in orders[place]]
            asked.append(
                question(
                    self.template,
                    [row],
                    shown=trial.subject.shown,
                    options=tuple(LETTERS[: len(labels)]),
                    data={"labels": dict(zip(LETTERS, labels, strict=False))},
                )
                if texts[whose[cluster]]
                else None
            )
        return asked

    def grade(
        self, questions: Sequence[Question | None], answers: Sequence[Answer | None], trial: Trial
    ) -> Float64[np.ndarray, "items"]:
        """1 for the own cluster's letter, 0 for another, and what a guess is worth for no answer."""
        right = []
        orders = self._orders(trial)
        for (cluster, _), order, answer in zip(_pairs(trial), orders, answers, strict=True):
            if answer is None or answer.chosen is None:
                right.append(1 / len(order))
            else:
                right.append(float(order[LETTERS.index(answer.chosen)] == cluster))
        return np.array(right)

    def _candidates(self, trial: Trial) -> Int64[np.ndarray, "scored labels"]:
        """Of each scored cluster itself, and the nearest of the others that are scored."""
        scored = trial.items.scored
        nearest = trial.nearest[scored]
        others = [row[np.isin(row, scored)][: self.among - 1] for row in nearest]
        return np.column_stack([scored, np.array(others, dtype=np.int64).reshape(len(scored), -1)])

    def _orders(self, trial: Trial) -> list[list[int]]:
        """The clusters whose labels are shown with each item, in the order in which they are."""
        own = self._candidates(trial)[np.searchsorted(trial.items.scored, trial.items.cluster)]
        return [self.streams.generator(place).permutation(row).tolist() for place, row in enumerate(own)]


def _pairs(trial: Trial) -> list[tuple[int, int]]:
    return list(zip(trial.items.cluster.tolist(), trial.items.row.tolist(), strict=True))
