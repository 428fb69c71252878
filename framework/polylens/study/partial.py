"""What a failed child had finished: shown and logged as the whole would be, without what the store lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from polylens.errors import PolylensError, StageError, listed
from polylens.store import Store
from polylens.study.drawing import Drawing
from polylens.study.pages import write_report
from polylens.study.performing import StageReport
from polylens.study.plans import ChildPlan, PlannedAnalysis, PlannedLabel, PlannedScore, VariantPlan
from polylens.study.results import Result, results_of
from polylens.study.stages import are_stored
from polylens.study.walk import Walk


@dataclass(frozen=True)
class FinishedPart:
    """What a failed child had finished, ready to be logged."""

    drawing: Drawing
    results: tuple[Result, ...]
    reports: Mapping[str, StageReport]
    """What became of the finished stages, by their names."""
    page: Path | None
    """The HTML page in the store, which says what failed; None where the page itself is what failed."""

    def text(self) -> str | None:
        """The page's HTML."""
        return None if self.page is None else self.page.read_text(encoding="utf-8")


def finish_part(walk: Walk, error: PolylensError) -> FinishedPart | None:
    """Numbers, pictures and page of what a failed child had finished; None where there is nothing to show."""
    plan = finished_part(walk.plan, walk.workshop.store)
    if plan is None:
        return None
    part = Walk(plan, walk.workshop)
    try:
        drawing = _draw(part)
        results = results_of(part)
    except PolylensError:
        # What failed is a store that can no longer be read or written: there is nothing left to show.
        return None
    missing = missing_stages(walk.plan, plan)
    failure = str(error)
    if missing:
        failure += f"\n\nNot finished, and so not here: {listed(missing)}. Numbers of controls that are not "
        failure += "here are missing beside those that are. The same command goes on from here."
    page = None
    with suppress(PolylensError):
        page = write_report(drawing, results, failure=failure)
    finished = {stage.name for stage in plan.stages()}
    reports = {name: report for name, report in walk.performer.reports.items() if name in finished}
    return FinishedPart(drawing, results, reports, page)


def _draw(walk: Walk) -> Drawing:
    """Every picture that can be drawn."""
    failed: set[str] = set()
    while True:
        drawing = Drawing(walk, without=frozenset(failed))
        try:
            drawing.ask_ahead()
            drawing.all_figures()
        except StageError as error:
            if error.stage in failed:
                raise
            failed.add(error.stage)
        else:
            return drawing


def finished_part(plan: ChildPlan, store: Store) -> ChildPlan | None:
    """The plan of what is stored; None where not even the network's own rows are.

    A control counts as finished where all its draws are: its number is the mean of all of them, and MLflow
    keeps the first that it is given.
    """
    draws: dict[str, list[VariantPlan]] = defaultdict(list)
    for variant in plan.variants:
        draws[variant.name].append(variant)
    harvested = [
        variant
        for same in draws.values()
        if all(_is_harvested(each, store) for each in same)
        for variant in _with_what_all_have(same, store)
    ]
    if not harvested or not harvested[0].is_own:
        return None
    return replace(plan, variants=tuple(harvested))


def missing_stages(plan: ChildPlan, part: ChildPlan) -> tuple[str, ...]:
    """Names of the stages that the plan has and its finished part lacks."""
    there = {stage.digest for stage in part.stages()}
    return tuple(dict.fromkeys(stage.name for stage in plan.stages() if stage.digest not in there))


def _is_harvested(variant: VariantPlan, store: Store) -> bool:
    return are_stored((planned.stage for planned in variant.takes.values()), store)


def _with_what_all_have(draws: list[VariantPlan], store: Store) -> list[VariantPlan]:
    finished = [_finished_analyses(variant, store) for variant in draws]
    analyses = set.intersection(*(set(each) for each in finished))
    labels = set.intersection(*(set(_finished_labels(variant, analyses, store)) for variant in draws))
    scores = set.intersection(*(set(_finished_scores(variant, labels, store)) for variant in draws))
    scored = are_stored((variant.accuracy for variant in draws if variant.accuracy is not None), store)
    return [
        replace(
            variant,
            accuracy=variant.accuracy if scored else None,
            analyses={name: planned for name, planned in variant.analyses.items() if name in analyses},
            labels={name: planned for name, planned in variant.labels.items() if name in labels},
            scores={name: planned for name, planned in variant.scores.items() if name in scores},
        )
        for variant in draws
    ]


def _finished_analyses(variant: VariantPlan, store: Store) -> Mapping[str, PlannedAnalysis]:
    finished: dict[str, PlannedAnalysis] = {}
    for name, planned in variant.analyses.items():
        stands = all(upstream in finished for upstream in planned.analysis.upstream())
        if stands and are_stored((each.stage for each in planned.in_order()), store):
            finished[name] = planned
    return finished


def _finished_labels(variant: VariantPlan, analyses: set[str], store: Store) -> Mapping[str, PlannedLabel]:
    return {
        name: planned
        for name, planned in variant.labels.items()
        if planned.label.of in analyses and are_stored([planned.stage], store)
    }


def _finished_scores(variant: VariantPlan, labels: set[str], store: Store) -> Mapping[str, PlannedScore]:
    return {
        name: planned
        for name, planned in variant.scores.items()
        if labels.issuperset(planned.labels) and are_stored([planned.stage], store)
    }
