"""Does the label fit this row: by rule, or by a judge's yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.judges import question
from polylens.records import Answer, Question
from polylens.scores._trial import Trial

_YES, _NO = "yes", "no"
_GUESS = 0.5


@dataclass(frozen=True)
class YesOrNo:
    """One label, one row: yes or no."""

    name: str = "detection"
    template: str = (
        "A group of rows of data has been given a label. You are shown the label and one row. Say whether "
        "the label fits the row. A row of text is one token with the text before and after it: the label is "
        "about the token where it stands. A row that is an image is attached, or told by the "
        "classes that it is near to. Answer yes or no."
    )

    def guess(self, n_labels: int) -> float:
        """One of two words."""
        return _GUESS

    def by_rule(
        self, fits: Bool[np.ndarray, "rows clusters"], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> Float64[np.ndarray, "items"]:
        """1 where the label says of a row what is true of it, else 0."""
        items = trial.items
        said = fits[items.row, whose[items.cluster]]
        return np.asarray(said == items.is_member, dtype=np.float64)

    def questions(
        self, texts: Sequence[str], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> list[Question | None]:
        """One question an item; none of a cluster without a label."""
        asked: list[Question | None] = []
        for cluster, row in zip(trial.items.cluster.tolist(), trial.items.row.tolist(), strict=True):
            label = texts[whose[cluster]]
            asked.append(
                question(
                    self.template,
                    [row],
                    shown=trial.subject.shown,
                    options=(_YES, _NO),
                    data={"label": label},
                )
                if label
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
        """1 for the right word, 0 for the other, and half for no answer."""
        return np.array(
            [
                _GUESS
                if answer is None or answer.chosen is None
                else float((answer.chosen == _YES) == member)
                for answer, member in zip(answers, trial.items.is_member.tolist(), strict=True)
            ]
        )
