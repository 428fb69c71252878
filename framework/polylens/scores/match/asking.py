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

    def guess(self, n_labels: int) -> float:
        """One of as many labels as there are to choose from, which few clusters make fewer."""
        return 1 / min(self.among, max(n_labels, 1))

    def by_rule(
        self, fits: Bool[np.ndarray, "rows clusters"], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> Float64[np.ndarray, "items"]:
        """How often drawing among the labels that fit, or among all where none does, finds the own one."""
        items = trial.items
        everyone = np.ones(len(items.scored), dtype=bool)
        candidates = np.array(self._candidates(trial, everyone))[np.searchsorted(items.scored, items.cluster)]
        fitting = fits[items.row[:, None], whose[candidates]]
        fitting |= ~fitting.any(axis=1, keepdims=True)
        return np.asarray(fitting[:, 0] / fitting.sum(axis=1))

    def questions(
        self, texts: Sequence[str], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> list[Question | None]:
        """One question an item, its labels in any order; none where the own cluster has no label, or no
        other has."""
        asked: list[Question | None] = []
        orders = self._orders(texts, trial, whose)
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
                if texts[whose[cluster]] and len(labels) > 1
                else None
            )
        return asked

    def grade(
        self,
        answers: Sequence[Answer | None],
        texts: Sequence[str],
        trial: Trial,
        whose: Int64[np.ndarray, "clusters"],
    ) -> Float64[np.ndarray, "items"]:
        """1 for the own cluster's letter, 0 for another, and what a guess is worth for no answer."""
        right = []
        orders = self._orders(texts, trial, whose)
        for (cluster, _), order, answer in zip(_pairs(trial), orders, answers, strict=True):
            if answer is None or answer.chosen is None:
                right.append(1 / max(len(order), 1))
            else:
                right.append(float(order[LETTERS.index(answer.chosen)] == cluster))
        return np.array(right)

    def _candidates(self, trial: Trial, has_label: Bool[np.ndarray, "scored"]) -> list[list[int]]:
        """Of each scored cluster itself and the nearest others, those that are scored and have a label."""
        scored = trial.items.scored
        candidates = []
        for own, row in zip(scored.tolist(), trial.nearest[scored], strict=True):
            near = np.concatenate([[own], row])
            candidates.append(near[np.isin(near, scored[has_label])][: self.among].tolist())
        return candidates

    def _orders(
        self, texts: Sequence[str], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> list[list[int]]:
        """The clusters whose labels are shown with each item, in the order in which they are.

        An empty label would be told by what it lacks: the next nearest cluster takes its place.
        """
        scored = trial.items.scored
        has_label = np.array([bool(texts[whose[each]]) for each in scored.tolist()], dtype=bool)
        candidates = self._candidates(trial, has_label)
        own = [candidates[place] for place in np.searchsorted(scored, trial.items.cluster)]
        return [self.streams.generator(place).permutation(row).tolist() for place, row in enumerate(own)]


def _pairs(trial: Trial) -> list[tuple[int, int]]:
    return list(zip(trial.items.cluster.tolist(), trial.items.row.tolist(), strict=True))
