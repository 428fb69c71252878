"""Scores of labels: own labels beside permuted ones and beside sets of random rows, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from polylens.judges import Judge
from polylens.labels._class_names import teller
from polylens.records import Findings, Number
from polylens.scores import Labeler, Subject
from polylens.scores._answering import Answering
from polylens.scores._beside import CLUSTERS, RowSets, compare, compared_subjects
from polylens.scores._panel import NOT_ANSWERED
from polylens.scores._tables import Column, cluster_table, item_table
from polylens.scores._trial import Trial, random_subject
from polylens.statistics import ItemMean
from polylens.streams import Streams
from polylens.work import Work

_ROUNDS = 200
"""Permutations of labels whose answers are free."""
_LEVEL = 0.05
_LEAST_ROUNDS = 20
"""With fewer permutations nothing can be said about the level of 5 %."""
_RANDOM = "random rows"
_NOT_SCORED = {
    1: "no cluster has 8 rows, and 4 examples in either half",
    2: "fewer than two clusters have 8 rows, and 4 examples in either half",
}
"""Why there is no score, by how many clusters it takes."""
_ANSWERS = frozenset({"answered", "by rule", "by cosine"})
"""Outcomes of items that were answered."""
_TOO_SMALL = "they have fewer than 8 rows, or fewer than 4 examples in either half"


@dataclass(frozen=True)
class Plan:
    """What all scores of labels have in common."""

    answering: Answering
    members: int
    """Members of a cluster that are items, at most."""
    permutations: int
    """Permutations of labels that are tried where answers are not free."""
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


def score_labels(plan: Plan, subject: Subject, work: Work, *, judge: Judge | None = None) -> Findings:
    """The scores of every label: its own, with permuted labels, of sets of random rows and of directions.

    Raises:
        DataError: a label needs a judge and there is none; or the labels cannot be scored together.
    """
    subject = replace(subject, shown=teller(judge, subject.shown, subject.rows, subject.partition))
    trials = {CLUSTERS: plan.trial(subject, work.streams.child(CLUSTERS))}
    if plan.random_rows and subject.partition.n_clusters:
        trials[_RANDOM] = plan.trial(random_subject(subject, work), work.streams.child(_RANDOM))
    for group, each in compared_subjects(subject, work).items():
        # Equal row sets get equal items, so that they have equal scores.
        trials[group] = plan.trial(each, work.streams.child(CLUSTERS))
    numbers: dict[str, Number] = {}
    undefined: dict[str, str] = {}
    columns: list[Column] = []
    lines: list[Mapping[str, object]] = []
    for name in subject.labelers:
        found = {
            group: _score(plan, name, group, trial, work)
            for group, trial in trials.items()
            if name in trial.subject.labelers
        }
        if _RANDOM in trials and _RANDOM not in found:
            undefined[f"random_rows.{name}"] = "nobody labelled random rows"
        for scored in found.values():
            columns += scored.columns
            numbers |= scored.numbers
            undefined |= scored.undefined
        if subject.beside and not set(subject.beside) <= set(found):
            undefined[f"least_lead.{name}"] = "nobody labelled rows of directions"
        elif subject.beside:
            groups = {group: _row_sets(plan, name, each, trials[group]) for group, each in found.items()}
            compared = compare(groups, subject.beside, label=name)
            numbers |= compared.numbers
            undefined |= compared.undefined
            lines += compared.lines
    own, answering = trials[CLUSTERS], plan.answering
    count, of = len(own.items.scored), subject.partition.n_clusters
    numbers["scored_clusters"] = Number(float(count), unit="clusters")
    clusters = cluster_table(own, [each for each in columns if each.group == CLUSTERS])
    if count and "token_entropy" in clusters:
        # Networks with random weights are scored as high where clusters are single tokens.
        numbers["token_entropy"] = Number(float(clusters["token_entropy"].mean()), unit="bits")
    notes = [] if count == of else [f"{of - count} of {of} clusters are not scored: {_TOO_SMALL}."]
    return Findings(
        numbers={**numbers, **answering.numbers()},
        tables={
            "clusters": clusters,
            "items": item_table(trials, columns),
            **({"beside": pd.DataFrame(lines)} if lines else {}),
            **answering.tables(),
        },
        notes=(*notes, *answering.notes()),
        undefined=undefined,
    )


@dataclass(frozen=True)
class _Found:
    """What one labeler's labels of one group of row sets came to."""

    mean: ItemMean | str
    """The score, or why there is none."""
    numbers: Mapping[str, Number]
    undefined: Mapping[str, str]
    columns: Sequence[Column]


def _row_sets(plan: Plan, name: str, found: _Found, trial: Trial) -> RowSets:
    scored = len(trial.items.scored)
    guess = plan.answering.guess(trial.subject.labelers[name], trial) if scored else 0.0
    return RowSets(found.mean, trial.subject.partition.n_clusters, scored, guess)


def _score(plan: Plan, name: str, group: str, trial: Trial, work: Work) -> _Found:
    """The scores of one labeler on clusters, on random rows, or on the row sets of directions."""
    answering, labeler = plan.answering, trial.subject.labelers[name]
    number = {CLUSTERS: f"{answering.name}.{name}", _RANDOM: f"random_rows.{name}"}.get(group)
    if len(trial.items.scored) < plan.least_clusters or not len(trial.items.row):
        why = _NOT_SCORED[plan.least_clusters]
        return _Found(why, {}, {} if number is None else {number: why}, ())
    own = _column(answering, labeler, group, trial, np.arange(trial.subject.partition.n_clusters))
    if not _ANSWERS.intersection(own.outcomes):
        return _Found(NOT_ANSWERED, {}, {} if number is None else {number: NOT_ANSWERED}, (own,))
    mean, guess = answering.mean(own.right, trial), answering.guess(labeler, trial)
    if number is None:
        return _Found(mean, {}, {}, (own,))
    if group == _RANDOM:
        return _Found(mean, {number: mean.number}, {}, (own,))
    is_free = answering.is_free(labeler)
    rounds = _ROUNDS if is_free else plan.permutations
    permuted = _permuted(answering, labeler, trial, rounds, work)
    numbers = {number: _with_chance(mean.number, permuted, guess=guess)}
    undefined: dict[str, str] = {}
    if len(permuted) >= _LEAST_ROUNDS:
        numbers[f"strong_fraction.{name}"] = _strong(
            own, permuted, trial, answering.best_guess(labeler, trial, _level(trial))
        )
    else:
        why = "no two different labels" if rounds else "no permuted labels were asked about"
        few = f"{len(permuted)} permutations of labels say nothing of a level of 5 %"
        undefined[f"strong_fraction.{name}"] = few if permuted else why
    called = labeler.labels.guesses(trial.subject.partition.n_clusters)
    texts = {called[each] for each in trial.items.scored.tolist()} - {""}
    numbers[f"distinct_labels.{name}"] = Number(float(len(texts)), unit="labels")
    # Of free ones there are too many permutations to list, and each can be made again.
    return _Found(mean, numbers, undefined, (own, *(() if is_free else permuted)))


def _permuted(answering: Answering, labeler: Labeler, trial: Trial, rounds: int, work: Work) -> list[Column]:
    """The same with every scored cluster given the label of another one.

    Where that reads the same as its own nothing was permuted, and it tells nothing of chance.
    """
    scored = trial.items.scored
    columns = []
    for number in range(rounds if len(scored) > 1 else 0):
        order = work.streams.generator("permuted labels", number).permutation(scored)
        whose = np.arange(trial.subject.partition.n_clusters)
        whose[order] = np.roll(order, 1)
        column = _column(answering, labeler, f"permuted labels {number + 1}", trial, whose)
        if not column.own.all():
            columns.append(column)
    return columns


def _column(
    answering: Answering, labeler: Labeler, group: str, trial: Trial, whose: Int64[np.ndarray, "clusters"]
) -> Column:
    texts = labeler.labels.guesses(trial.subject.partition.n_clusters)
    clusters = trial.items.cluster.tolist()
    given = [texts[whose[each]] for each in clusters]
    is_own = np.array([texts[each] for each in clusters]) == np.array(given)
    answers = answering.answer(labeler, trial, whose, group=group)
    return Column(labeler.name, group, answers.right, given, answers.outcomes, answers.said, is_own)


def _with_chance(number: Number, permuted: Sequence[Column], *, guess: float) -> Number:
    """The number with its chance level: what permuted labels reach, and no less than what a guess does.

    A good labeler with permuted labels does worse than a guess: it finds its label at another cluster.
    """
    reached = float(np.mean([each.right[~each.own].mean() for each in permuted])) if permuted else 0.0
    said = f"mean of {len(permuted)} permutations of labels among the clusters"
    by_guess = f"by guessing; {said}: {reached:.2f}" if permuted else "by guessing"
    return replace(number, chance=max(reached, guess), chance_is=said if reached > guess else by_guess)


def _level(trial: Trial) -> float:
    """The probability with which one cluster stays within chance, so that all of them do at 5 % together."""
    return float((1 - _LEVEL) ** (1 / len(trial.items.scored)))


def _strong(
    own: Column, permuted: Sequence[Column], trial: Trial, guessed: Float64[np.ndarray, "scored"]
) -> Number:
    """The share of clusters that do better than any does by chance, at 5 % for all of them together.

    Chance is the best cluster of each permutation of labels, and the best of as many that guess.
    """
    best = [_by_cluster(np.where(each.own, 0.0, each.right), trial).max() for each in permuted]
    level = np.maximum(float(np.quantile(best, 1 - _LEVEL, method="higher")), guessed)
    return Number(float((_by_cluster(own.right, trial) > level).mean()))


def _by_cluster(right: Float64[np.ndarray, "items"], trial: Trial) -> Float64[np.ndarray, "scored"]:
    """How right a labeler is of each scored cluster's items, on average."""
    where = np.searchsorted(trial.items.scored, trial.items.cluster)
    count = trial.items.of_each
    return np.asarray(np.bincount(where, right, minlength=len(count)) / np.maximum(count, 1))
