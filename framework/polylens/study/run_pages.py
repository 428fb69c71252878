"""What MLflow's pages say first: of a run its answer and verdict, of an experiment the numbers as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from polylens.analyses import RAW_INPUTS
from polylens.digests import digest
from polylens.records import Verdict
from polylens.report.answer import answer
from polylens.spec import Experiment, Study
from polylens.study.answering import Question
from polylens.study.pages import score_tables
from polylens.study.results import Result
from polylens.study.subject import code_sentence
from polylens.study.verdicts import verdict_of
from polylens.study.walk import Walk
from polylens.tracking import ANSWER_TAG, LAYER_TAG, MODEL_TAG, RESULTS_ADDRESS, VERDICT_TAG

if TYPE_CHECKING:
    import pandas as pd

NOTE_TAG = "mlflow.note.content"
_WRITTEN_TAG = "polylens.description"
"""Digest of the description that was written, to tell one that a person has edited since."""
_LONGEST_NOTE = 4900
WHY_TAG = "polylens.verdict_why"
_SIZE, _CURVES = "min_cluster_size", ("coverage", "purity")
_TRAINING, _BY_SIZE = "training/", f"/by_{_SIZE}/"


def about_experiment(study: Study) -> str:
    """Markdown for the top of an experiment's page, with a link to the view of all its runs."""
    where = "" if study.source is None else f" of the specs in `{study.source.parent.name}`"
    return (
        f"Runs{where}, made by polylens. **[Results as columns]({RESULTS_ADDRESS})**: model, layer, verdict "
        "and the numbers that answer each spec's question. The list *Views* has one view for each spec."
    )


def description(
    experiment: Experiment, *, answers: Sequence[str] = (), verdict: Verdict | None = None
) -> str:
    """Markdown for the top of a run's page: the verdict and the answer first, where there are any."""
    parts = [] if verdict is None else [f"**{verdict.decision.capitalize()}.** {_plain(verdict.why)}."]
    parts += [_plain(" ".join(answers))] if answers else []
    rule = [] if verdict is None else [f"**Refuted if** {_plain(verdict.rule)}."]
    return "\n\n".join([*parts, f"**Claim.** {experiment.claim}", *rule, experiment.about])


def result_tags(walk: Walk, results: Sequence[Result]) -> dict[str, str]:
    """The tags that tell a run's outcome: its verdict, its answer, its description."""
    experiment = walk.plan.experiment
    verdict = verdict_of(experiment.refuted_if, results)
    answers = answer(tuple(score_tables(walk, results)))
    tags = {
        **note_tags(description(experiment, answers=answers, verdict=verdict)),
        MODEL_TAG: walk.plan.names["model"],
        LAYER_TAG: experiment.layer,
    }
    if answers:
        tags[ANSWER_TAG] = " ".join(answers)
    if verdict is not None:
        tags |= {VERDICT_TAG: verdict.decision, WHY_TAG: f"{verdict.why} (refuted if {verdict.rule})"}
    return tags


def note_tags(note: str) -> dict[str, str]:
    """A description, and what tells it from one that a person has edited."""
    short = note if len(note) <= _LONGEST_NOTE else f"{note[:_LONGEST_NOTE]} ..."
    return {NOTE_TAG: short, _WRITTEN_TAG: digest(short)}


def without_edited_note(tags: Mapping[str, str], *, before: Mapping[str, str]) -> dict[str, str]:
    """Tags to set, without the description where the run has one that was not written here."""
    note = before.get(NOTE_TAG)
    if note is None or digest(note) == before.get(_WRITTEN_TAG):
        return dict(tags)
    return {key: value for key, value in tags.items() if key not in (NOTE_TAG, _WRITTEN_TAG)}


def parent_tags(
    experiment: Experiment,
    verdicts: Mapping[str, Verdict | None],
    *,
    children: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, str]:
    """The tags of a parent run: its children's layers and answers, and their verdicts, counted and each.

    Args:
        experiment: of one child.
        verdicts: by the child's name.
        children: the tags of each child, by its name.
    """
    children = children or {}
    layers = dict.fromkeys(tags[LAYER_TAG] for tags in children.values() if LAYER_TAG in tags)
    told = {LAYER_TAG: ", ".join(layers)} if layers else {}
    answers = [f"{name}: {tags[ANSWER_TAG]}" for name, tags in children.items() if ANSWER_TAG in tags]
    told |= {ANSWER_TAG: " ".join(answers)} if answers else {}
    return told | _verdict_tags(experiment, verdicts)


def _verdict_tags(experiment: Experiment, verdicts: Mapping[str, Verdict | None]) -> dict[str, str]:
    decided = {name: verdict.decision for name, verdict in verdicts.items() if verdict is not None}
    counts = Counter(decided.values())
    if not counts:
        return {}
    said = ", ".join(f"{count} {decision}" for decision, count in counts.items())
    each = "\n".join(f"- {_plain(name)}: {decision}" for name, decision in decided.items())
    note = f"**{said.capitalize()}.**\n\n{each}\n\n{description(experiment)}"
    return {VERDICT_TAG: next(iter(counts)) if len(counts) == 1 else said, **note_tags(note)}


def means_of_children(children: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Metrics of a parent run: the mean of each metric that all its children have, and its deviation.

    The deviation is the standard deviation (n - 1), under the metric's name with `_deviation` behind it.

    >>> means_of_children([{"a/b": 1.0}, {"a/b": 3.0, "a/c": 1.0}])
    {'a/b': 2.0, 'a/b_deviation': 1.4142135623730951}
    """
    metrics: dict[str, float] = {}
    for name in children[0] if children else ():
        if name.startswith(_TRAINING) or _BY_SIZE in name:
            continue  # the last point of a curve
        values = [child[name] for child in children if name in child]
        if len(values) == len(children):
            metrics[name] = fmean(values)
            if len(values) > 1 and "/" in name:  # counts of rows and examples have none of interest
                metrics[f"{name}_deviation"] = stdev(values)
    return metrics


def answering_names(experiment: Experiment) -> tuple[str, ...]:
    """Names of the metrics that will answer an experiment's question, as far as its kinds say so."""
    leads: list[str] = []
    for source, analysis in experiment.analyses.items():
        controls = [named.name for named in experiment.controls]
        controls += [RAW_INPUTS] if analysis.on_inputs() is not None else []
        leads += [f"{source}/{name}_lead.{each}" for name in analysis.compared for each in controls]
    return tuple(dict.fromkeys([*Question.of(experiment).names(), *leads]))


def code_tags(walk: Walk) -> dict[str, str]:
    """Tags that say what a run's code is, and whether it names polytopes; none where there is no code."""
    rows = walk.rows(walk.own)
    if rows.codes is None:
        return {}
    scheme = rows.codes.scheme
    return {
        "polylens.names_polytopes": str(scheme.names_polytopes).lower(),
        "polylens.code": code_sentence(rows).strip(),
    }


def curves_of(walk: Walk) -> Iterator[tuple[str, dict[int, float]]]:
    """What a run shows over steps: its training by epoch, its scores by the least size of a cluster."""
    history = walk.learning.history()
    if history is not None and "epoch" in history:
        yield from _curves(_TRAINING.rstrip("/"), history, step="epoch")
    for name in walk.own.analyses:
        curve = walk.findings(walk.own, name).tables.get("curve")
        if curve is not None and _SIZE in curve and len(curve) > 1:
            shown = [column for column in _CURVES if column in curve]
            yield from _curves(f"{name}{_BY_SIZE}".rstrip("/"), curve[[_SIZE, *shown]], step=_SIZE)


def _curves(prefix: str, table: pd.DataFrame, *, step: str) -> Iterator[tuple[str, dict[int, float]]]:
    steps = [int(value) for value in table[step]]
    for column in table.columns:
        if column != step and table[column].dtype.kind in "if":
            yield f"{prefix}/{column}", dict(zip(steps, map(float, table[column]), strict=True))


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: names of numbers are full of underscores."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|" else character for character in text)
