"""Who says whether labels fit rows, and what an answer is worth: rules, or a judge where there is no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.errors import DataError
from polylens.judges import Judge
from polylens.records import Answer, Number, Question
from polylens.scores import Labeler
from polylens.scores._panel import Panel
from polylens.scores._tables import prompt_table
from polylens.scores._trial import Trial
from polylens.statistics import ItemMean
from polylens.work import Work

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answers:
    """What came of the items of one trial, held against one labeler's labels."""

    right: Float64[np.ndarray, "items"]
    """How right each is, from 0 to 1."""
    outcomes: Sequence[str]
    said: Sequence[str]


class Answering(Protocol):
    """What labels are asked of items, who answers, and what the answers come to."""

    @property
    def name(self) -> str:
        """Of the number."""

    def guess(self, labeler: Labeler, trial: Trial) -> float:
        """How right who guesses is of an item, on average."""

    def best_guess(self, labeler: Labeler, trial: Trial, level: float) -> Float64[np.ndarray, "scored"]:
        """What who guesses stays at or below on each scored cluster, with this probability."""

    def is_free(self, labeler: Labeler) -> bool:
        """Whether answers cost nothing, so that many permutations of labels can be tried."""

    def answer(
        self, labeler: Labeler, trial: Trial, whose: Int64[np.ndarray, "clusters"], *, group: str
    ) -> Answers:
        """The answers; `whose` label each cluster is given, and what the `group` of row sets is called."""

    def mean(self, right: Float64[np.ndarray, "items"], trial: Trial) -> ItemMean:
        """The score, with its limits."""

    def numbers(self) -> Mapping[str, Number]:
        """What became of questions, where any were asked."""

    def notes(self) -> tuple[str, ...]:
        """The same in sentences, and what else a reader must know."""

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """What judges were told, where any were."""


class Test(Protocol):
    """What a label is asked of an item, by rule or of a judge."""

    @property
    def name(self) -> str:
        """Of the number."""

    @property
    def template(self) -> str:
        """The judge's instructions."""

    def guess(self, n_labels: int) -> float:
        """How often who guesses is right of an item, where so many of the scored clusters have a label."""

    def by_rule(
        self, fits: Bool[np.ndarray, "rows clusters"], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> Float64[np.ndarray, "items"]:
        """How right a rule is of each item, from 0 to 1; `whose` label each cluster is given."""

    def questions(
        self, texts: Sequence[str], trial: Trial, whose: Int64[np.ndarray, "clusters"]
    ) -> list[Question | None]:
        """What a judge is asked of each item; None where the cluster has no label."""

    def grade(
        self,
        answers: Sequence[Answer | None],
        texts: Sequence[str],
        trial: Trial,
        whose: Int64[np.ndarray, "clusters"],
    ) -> Float64[np.ndarray, "items"]:
        """How right each answer to `questions` is, from 0 to 1; what was not answered counts as a guess."""


class RuleOrJudge:
    """Labels of rules answer by rule, free of cost; others are held against rows by a judge."""

    def __init__(self, test: Test, judge: Judge | None, work: Work) -> None:
        self.test = test
        self.name = test.name
        self._panel = None if judge is None else Panel(judge, work)
        self._was_asked = False

    def guess(self, labeler: Labeler, trial: Trial) -> float:
        """How often who guesses is right of an item: rules answer where a cluster has no label, too."""
        scored = trial.items.scored.tolist()
        called = labeler.labels.guesses(trial.subject.partition.n_clusters)
        named = sum(bool(called[each]) for each in scored)
        return self.test.guess(len(scored) if self.is_free(labeler) else named)

    def best_guess(self, labeler: Labeler, trial: Trial, level: float) -> Float64[np.ndarray, "scored"]:
        """The share of a cluster's items that who guesses one by one is right of, at most."""
        from scipy.special import bdtrik

        items = trial.items.of_each
        return np.asarray(np.ceil(bdtrik(level, items, self.guess(labeler, trial))) / np.maximum(items, 1))

    def is_free(self, labeler: Labeler) -> bool:
        """Whether the labels are rules."""
        return labeler.fits is not None

    def answer(
        self, labeler: Labeler, trial: Trial, whose: Int64[np.ndarray, "clusters"], *, group: str
    ) -> Answers:
        """The answers by rule, or a judge's.

        Raises:
            DataError: a judge is needed and there is none.
        """
        if labeler.fits is not None:
            right = self.test.by_rule(labeler.fits, trial, whose)
            return Answers(right, ["by rule"] * len(right), [""] * len(right))
        if self._panel is None:
            raise DataError(
                f"the label '{labeler.name}' ({labeler.label.kind()}) is a text, and only a judge can say "
                "which rows it fits",
                hint="give the score a judge, such as judge: {kind: compatible, model: NAME}",
            )
        self._was_asked = True
        texts = labeler.labels.guesses(trial.subject.partition.n_clusters)
        questions = self.test.questions(texts, trial, whose)
        answers = self._panel.ask(questions, title=f"{self.name} of {labeler.name}, {group}")
        right = self.test.grade(answers, texts, trial, whose)
        outcomes = ["no label" if each is None else each.outcome for each in answers]
        return Answers(
            right, outcomes, ["" if each is None else each.chosen or each.said for each in answers]
        )

    def mean(self, right: Float64[np.ndarray, "items"], trial: Trial) -> ItemMean:
        """The share of items that are answered right."""
        return ItemMean.of_shares(right, example=trial.subject.rows.origins.block[trial.items.row])

    def numbers(self) -> Mapping[str, Number]:
        """What became of the judge's questions."""
        return self._panel.numbers() if self._panel is not None and self._was_asked else {}

    def notes(self) -> tuple[str, ...]:
        """What became of the judge's questions, in a sentence."""
        return (self._panel.note(),) if self._panel is not None and self._was_asked else ()

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """What the judge was told."""
        return {"prompts": prompt_table(self.name, self.test.template)} if self._was_asked else {}
