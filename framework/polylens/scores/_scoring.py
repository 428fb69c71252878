"""Scores of labels: own labels beside permuted ones and beside sets of random rows, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.errors import DataError
from polylens.judges import Judge
from polylens.labels._class_names import teller
from polylens.records import Answer, Findings, Number, Question
from polylens.scores import Labeler, Subject
from polylens.scores._panel import NOT_ANSWERED, Panel
from polylens.scores._tables import Column, cluster_table, item_table, prompt_table
from polylens.scores._trial import Trial, random_subject
from polylens.statistics import Shares
from polylens.streams import Streams
from polylens.work import Work

_ROUNDS = 200
"""Permutations of labels that answer by rule: they cost nothing."""
_LEVEL = 0.05
_LEAST_ROUNDS = 20
"""With fewer permutations nothing can be said about the level of 5 %."""
NOT_SCORED = {
    1: "no cluster has 8 rows, and 4 examples in either half",
    2: "fewer than two clusters have 8 rows, and 4 examples in either half",
}
"""Why there is no score, by how many clusters it takes."""


class Test(Protocol):
    """What a label is asked of an item, and what an answer is worth."""

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


@dataclass(frozen=True)
class Plan:
    """What all scores of labels have in common."""

    test: Test
    judge: Judge | None
    members: int
    """Members of a cluster that are items, at most."""
    permutations: int
    """Permutations of labels that a judge is asked about."""
    random_rows: bool
    """Whether sets of random rows are labelled and scored as well."""
    only_members: bool = False
    """Whether rows of other clusters are no items."""
    least_clusters: int = 1
    """How many clusters must be scored for there to be a score."""

    def trial(self, subject: Subject, streams: Streams) -> Trial:
        """The items of a subject."""
        trial = Trial.of(subject, members=self.members, streams=streams)
        return replace(trial, items=trial.items.members()) if self.only_members else trial


def score_labels(plan: Plan, subject: Subject, work: Work) -> Findings:
    """The scores of every label: its own, with permuted labels, and of sets of random rows.

    Raises:
        DataError: a label needs a judge and there is none; or the labels cannot be scored together.
    """
    panel = None if plan.judge is None else Panel(plan.judge, work)
    shown = teller(plan.judge, subject.shown, subject.rows, subject.partition)
    subject = replace(subject, shown=shown)
    scorer = _Scorer(plan, panel, work)
    subjects = {"clusters": subject}
    if plan.random_rows and subject.partition.n_clusters:
        subjects["random rows"] = random_subject(subject, work)
    trials = {group: plan.trial(each, work.streams.child(group)) for group, each in subjects.items()}
    numbers: dict[str, Number] = {}
    undefined: dict[str, str] = {}
    columns: list[Column] = []
    for name in subject.labelers:
        for group, trial in trials.items():
            if name not in trial.subject.labelers:
                undefined[f"random_rows.{name}"] = "nobody labelled random rows"
                continue
            found = scorer.labeler(name, group, trial)
            columns += found.columns
            numbers |= found.numbers
            undefined |= found.undefined
    own = trials["clusters"]
    scored, count = len(own.items.scored), subject.partition.n_clusters
    numbers["scored_clusters"] = Number(float(scored), unit="clusters")
    notes = [] if scored == count else [f"{count - scored} of {count} clusters are not scored: {_TOO_SMALL}."]
    tables = {
        "clusters": cluster_table(own, [each for each in columns if each.group == "clusters"]),
        "items": item_table(trials, columns),
    }
    if scored and "token_entropy" in tables["clusters"]:
        # Networks with random weights are scored as high where clusters are single tokens.
        numbers["token_entropy"] = Number(float(tables["clusters"]["token_entropy"].mean()), unit="bits")
    if scorer.was_asked and panel is not None:
        numbers |= panel.numbers()
        notes.append(panel.note())
        tables["prompts"] = prompt_table(plan.test.name, plan.test.template)
    return Findings(numbers=numbers, tables=tables, notes=tuple(notes), undefined=undefined)


_TOO_SMALL = "they have fewer than 8 rows, or fewer than 4 examples in either half"


@dataclass(frozen=True)
class _Found:
    numbers: Mapping[str, Number]
    undefined: Mapping[str, str]
    columns: Sequence[Column]


class _Scorer:
    def __init__(self, plan: Plan, panel: Panel | None, work: Work) -> None:
        self.plan = plan
        self.panel = panel
        self.work = work
        self.was_asked = False

    def labeler(self, name: str, group: str, trial: Trial) -> _Found:
        """The scores of one labeler on clusters or on random rows."""
        test, labeler = self.plan.test, trial.subject.labelers[name]
        is_own = group == "clusters"
        number = f"{test.name}.{name}" if is_own else f"random_rows.{name}"
        if len(trial.items.scored) < self.plan.least_clusters or not len(trial.items.row):
            return _Found({}, {number: NOT_SCORED[self.plan.least_clusters]}, ())
        fits = labeler.label.fits(labeler.labels, labeler.rows)
        whose = np.arange(trial.subject.partition.n_clusters)
        own = self._column(labeler, group, trial, fits, whose)
        if fits is None and "answered" not in own.outcomes:
            return _Found({}, {number: NOT_ANSWERED}, (own,))
        if not is_own:
            return _Found({number: _share(own.right, trial)}, {}, (own,))
        rounds = _ROUNDS if fits is not None else self.plan.permutations
        permuted = self._permuted(labeler, trial, fits, rounds)
        called = labeler.labels.guesses(trial.subject.partition.n_clusters)
        named = [called[each] for each in trial.items.scored.tolist() if called[each]]
        guess = test.guess(len(named) if fits is None else len(trial.items.scored))
        numbers = {number: _with_chance(_share(own.right, trial), permuted, guess=guess)}
        undefined: dict[str, str] = {}
        if len(permuted) >= _LEAST_ROUNDS:
            numbers[f"strong_fraction.{name}"] = _strong(own, permuted, trial, guess=guess)
        else:
            why = "no two different labels" if rounds else "no permuted labels were asked about"
            few = f"{len(permuted)} permutations of labels say nothing of a level of 5 %"
            undefined[f"strong_fraction.{name}"] = few if permuted else why
        numbers[f"distinct_labels.{name}"] = Number(float(len(set(named))), unit="labels")
        # Of rules there are too many permutations to list, and each can be made again.
        return _Found(numbers, undefined, (own, *(permuted if fits is None else ())))

    def _permuted(
        self,
        labeler: Labeler,
        trial: Trial,
        fits: Bool[np.ndarray, "rows clusters"] | None,
        rounds: int,
    ) -> list[Column]:
        """The same with every scored cluster given the label of another one.

        Where that reads the same as its own nothing was permuted, and it tells nothing of chance.
        """
        scored = trial.items.scored
        columns = []
        for number in range(rounds if len(scored) > 1 else 0):
            order = self.work.streams.generator("permuted labels", number).permutation(scored)
            whose = np.arange(trial.subject.partition.n_clusters)
            whose[order] = np.roll(order, 1)
            column = self._column(labeler, f"permuted labels {number + 1}", trial, fits, whose)
            if not column.own.all():
                columns.append(column)
        return columns

    def _column(
        self,
        labeler: Labeler,
        group: str,
        trial: Trial,
        fits: Bool[np.ndarray, "rows clusters"] | None,
        whose: Int64[np.ndarray, "clusters"],
    ) -> Column:
        test = self.plan.test
        texts = labeler.labels.guesses(trial.subject.partition.n_clusters)
        clusters = trial.items.cluster.tolist()
        given = [texts[whose[each]] for each in clusters]
        is_own = np.array([texts[each] for each in clusters]) == np.array(given)
        if fits is not None:
            right = test.by_rule(fits, trial, whose)
            ruled, silent = ["by rule"] * len(given), [""] * len(given)
            return Column(labeler.name, group, right, given, ruled, silent, is_own)
        if self.panel is None:
            raise DataError(
                f"the label '{labeler.name}' ({labeler.label.kind()}) is a text, and only a judge can say "
                "which rows it fits",
                hint="give the score a judge, such as judge: {kind: compatible, model: NAME}",
            )
        self.was_asked = True
        questions = test.questions(texts, trial, whose)
        answers = self.panel.ask(questions, title=f"{test.name} of {labeler.name}, {group}")
        right = test.grade(answers, texts, trial, whose)
        outcomes = ["no label" if each is None else each.outcome for each in answers]
        said = ["" if each is None else each.chosen or each.said for each in answers]
        return Column(labeler.name, group, right, given, outcomes, said, is_own)


def _share(right: Float64[np.ndarray, "items"], trial: Trial) -> Number:
    """The share of items that a labeler is right of, with the interval that the examples give."""
    block = trial.subject.rows.origins.block[trial.items.row]
    shares = Shares.of(right, example=block)
    (interval,) = shares.intervals()
    return Number(float(shares.values[0]), interval.low, interval.high, interval.meaning)


def _with_chance(number: Number, permuted: Sequence[Column], *, guess: float) -> Number:
    """The number with its chance level: what permuted labels reach, and no less than what a guess does.

    A good labeler with permuted labels does worse than a guess: it finds its label at another cluster.
    """
    reached = float(np.mean([each.right[~each.own].mean() for each in permuted])) if permuted else 0.0
    said = f"mean of {len(permuted)} permutations of labels among the clusters"
    by_guess = f"by guessing; {said}: {reached:.2f}" if permuted else "by guessing"
    return replace(number, chance=max(reached, guess), chance_is=said if reached > guess else by_guess)


def _strong(own: Column, permuted: Sequence[Column], trial: Trial, *, guess: float) -> Number:
    """The share of clusters that do better than any does by chance, at 5 % for all of them together.

    Chance is the best cluster of each permutation of labels, and the best of as many that guess.
    """
    from scipy.special import bdtrik

    best = [_by_cluster(np.where(each.own, 0.0, each.right), trial).max() for each in permuted]
    scored = trial.items.scored
    items = np.bincount(np.searchsorted(scored, trial.items.cluster), minlength=len(scored))
    guessed = np.ceil(bdtrik((1 - _LEVEL) ** (1 / len(scored)), items, guess)) / np.maximum(items, 1)
    level = np.maximum(float(np.quantile(best, 1 - _LEVEL, method="higher")), guessed)
    return Number(float((_by_cluster(own.right, trial) > level).mean()))


def _by_cluster(right: Float64[np.ndarray, "items"], trial: Trial) -> Float64[np.ndarray, "scored"]:
    """The share of each scored cluster's items that a labeler is right of."""
    where = np.searchsorted(trial.items.scored, trial.items.cluster)
    count = np.bincount(where, minlength=len(trial.items.scored))
    return np.asarray(np.bincount(where, right, minlength=len(count)) / np.maximum(count, 1))
