"""The report of one child: what was asked, what came out beside its controls, and what it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from polylens.reading import write
from polylens.report import Report, Score, ScoreTable
from polylens.store import file_from_bytes
from polylens.study.answering import CODE
from polylens.study.cards import GALLERY
from polylens.study.drawing import Drawing
from polylens.study.facts import facts_of, making_of
from polylens.study.label_tables import label_sheets
from polylens.study.looks import looks_of_pages
from polylens.study.opened_cards import opened_cards
from polylens.study.people.walked import people_of_walk, shown_people
from polylens.study.plans import ChildPlan, VariantPlan
from polylens.study.results import Result
from polylens.study.stages import Stage
from polylens.study.subject import title_of
from polylens.study.verdicts import verdict_of
from polylens.study.walk import Walk

_FILE = "report.html"
_PROXY = (
    "How good a proxy the signs of smooth or gated units are: how much of the variance of their output is "
    "explained by z above zero and nothing below it. 1 for ReLUs; below 0 where the units' means would "
    "explain more."
)


def write_report(drawing: Drawing, results: Sequence[Result], *, failure: str = "") -> Path:
    """The page of one child in the store, made where it is not there yet.

    Args:
        drawing: its pictures and its walk.
        results: its numbers.
        failure: why it failed and what is missing, where it did.
    """
    performer, stage = drawing.walk.performer, report_stage(drawing, failure)

    def work(folder: Path) -> None:
        # The page's template and pictures are only loaded to make one.
        from polylens.report.page import render

        file_from_bytes(folder / _FILE, render(_Page(drawing, results, failure).report()).encode())

    performer.perform(stage, work)
    return performer.read(lambda: performer.open(stage) / _FILE, again=lambda: performer.perform(stage, work))


def report_stage(drawing: Drawing, failure: str = "") -> Stage:
    """The stage of the page: what it tells, the figures it shows, and the sources that make it."""
    plan = drawing.walk.plan
    experiment = plan.experiment
    failed = {"failure": failure} if failure else {}
    # A page that nobody's labels are on stays what it is.
    people = [people.digest for people in people_of_walk(drawing.walk)]
    said = {"people": people} if people else {}
    return Stage(
        kind="report",
        name="report",
        identity={
            "about": experiment.about,
            "claim": experiment.claim,
            "refuted_if": list(experiment.refuted_if),
            "title": _title(plan),
            "names": [
                *experiment.analyses,
                *experiment.labels,
                *experiment.scores,
                *(f"{key}: {name}" for key, name in sorted(plan.names.items())),
            ],
            "variants": [variant.title for variant in plan.variants],
            "stages": [stage.digest for stage in plan.stages()],
            "figures": [stage.digest for stage in drawing.figure_stages()],
            "looks": looks_of_pages(__name__),
            **failed,
            **said,
        },
    )


def _title(plan: ChildPlan) -> str:
    """Model, layer, what else was swept, and whether only some of the examples were looked at."""
    swept = [f"{key} {value}" for key, value in plan.point.items() if key != "layer"]
    limited = [] if plan.limit is None else [f"limited to {plan.limit:,} examples"]
    return ", ".join([title_of(plan), *swept, *limited])


class _Page:
    """Puts one child's page together."""

    def __init__(self, drawing: Drawing, results: Sequence[Result], failure: str) -> None:
        self.drawing = drawing
        self.failure = failure
        self.walk = drawing.walk
        self.results = results

    def report(self) -> Report:
        plan, experiment = self.walk.plan, self.walk.plan.experiment
        own = plan.own
        return Report(
            title=_title(plan),
            failure=self.failure,
            about=experiment.about,
            claim=experiment.claim,
            verdict=verdict_of(experiment.refuted_if, self.results),
            subject=self.drawing.subject,
            facts=tuple(facts_of(self.walk)),
            scores=tuple(score_tables(self.walk, self.results)),
            clusters=tuple(
                cards for name in own.analyses if (cards := opened_cards(self.drawing, name)) is not None
            ),
            labels=tuple(label_sheets(self.walk)),
            people=tuple(map(shown_people, people_of_walk(self.walk))),
            # The cards show the gallery's pictures already.
            figures=tuple(
                figure for figure in self.drawing.figures() if not figure.name.endswith(f"-{GALLERY}")
            ),
            notes=tuple(dict.fromkeys(self._notes(own))),
            skipped=self.walk.skipped_examples(own),
            made=tuple(making_of(plan)),
            provenance={stage.name: stage.digest for stage in own.stages()},
            spec=write(experiment.to_plain()),
        )

    def _notes(self, own: VariantPlan) -> Iterator[str]:
        unused = self.walk.plan.experiment.sampling is not None and not self.walk.rows(own).origins.grid
        if unused:
            yield "The layer has no positions to sample: each row is a whole example."
        for name in own.analyses:
            yield from self.walk.findings(own, name).notes
        for name in own.labels:
            yield from self.walk.naming.labels(own, name).notes
        for name in own.scores:
            yield from self.walk.naming.scored(own, name).notes


def score_tables(walk: Walk, results: Sequence[Result]) -> Iterator[ScoreTable]:
    """The numbers of each stage, each with the same number of every control."""
    by_stage: dict[str, list[Score]] = {}
    for result in results:
        if result.is_shown:
            score = Score(
                result.name,
                result.own,
                controls=result.controls,
                comparisons=result.comparisons,
                headline=result.answers,
                asked=result.asked,
            )
            by_stage.setdefault(result.source, []).append(score)
    for stage, scores in by_stage.items():
        yield ScoreTable(title=stage, rows=tuple(scores), note=_kind_summary(walk, stage))


def _kind_summary(walk: Walk, stage: str) -> str:
    """What the kind behind a stage does: the first sentence of its documentation."""
    if stage == CODE:
        return _PROXY
    own = walk.own
    kinds = {name: type(planned.analysis).__doc__ for name, planned in own.analyses.items()}
    kinds |= {name: type(planned.label).__doc__ for name, planned in own.labels.items()}
    kinds |= {name: type(planned.score).__doc__ for name, planned in own.scores.items()}
    return " ".join((kinds.get(stage) or "").partition("\n\n")[0].split())
