"""One child from its first stage to its page, in the store alone; what MLflow is told comes after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from polylens.devices import Options
from polylens.errors import UsageError
from polylens.progress import Progress
from polylens.settings import Settings
from polylens.spec import Study
from polylens.study.beside import Beside
from polylens.study.drawing import Drawing
from polylens.study.logs import run_digest
from polylens.study.opening import open_workshop, with_known_layers
from polylens.study.pages import write_report
from polylens.study.performing import StageReport
from polylens.study.planning import plan_study
from polylens.study.results import Result, results_of
from polylens.study.walk import Walk


def walk_whole(
    walk: Walk, beside: Beside, *, found: Callable[[tuple[Result, ...]], None] = lambda _: None
) -> tuple[Drawing, tuple[Result, ...], Path]:
    """Does all stages of one child, its figures and its page; gives them, and the page's file.

    `found` is called with the numbers before figures are drawn here: a second process draws meanwhile.
    """
    done = walk.workshop.elsewhere.get(run_digest(walk.plan)) if walk.workshop.elsewhere else None
    try:
        walk.performer.take_over(() if done is None else done.reports)
        walk.performer.take_over(beside.training_reports())
        for number, variant in enumerate(walk.plan.variants):
            walk.performer.take_over(beside.variant_reports(number))
            walk.walk(variant)
        drawing = Drawing(walk)
        drawing.ask_ahead()
        results = results_of(walk)
        found(results)
        drawing.all_figures()
        return drawing, results, write_report(drawing, results)
    finally:
        beside.give_up()


def walk_alone(
    study: Study,
    *,
    digest: str,
    settings: Settings,
    options: Options,
    limit: int | None,
    progress: Progress,
) -> tuple[StageReport, ...]:
    """Does one child of a study, so that the store has all of it; MLflow hears nothing.

    Args:
        study: the spec that was read.
        digest: of the child's run (`logs.run_digest`).
        settings: the project's.
        options: devices, precision, batch size.
        limit: examples at most.
        progress: where the work shows itself.

    Raises:
        PolylensError: as `running.run_study`, and what any stage fails with.
        UsageError: the study has no such child.
    """
    study = with_known_layers(study)
    plans = plan_study(study, settings=settings, options=options, limit=limit, progress=progress)
    plan = next((plan for plan in plans if run_digest(plan) == digest), None)
    if plan is None:
        raise UsageError(
            "the spec, or what it reads, is not what it was when the job was handed over",
            hint="give the same command again: it hands over what is missing now",
        )
    with (
        open_workshop(
            study, plans, walked=[plan], settings=settings, options=options, progress=progress
        ) as workshop,
        progress.task(plan.name, total=plan.n_stages, unit="stages") as stages,
    ):
        walk = Walk(plan, workshop, stages=stages)
        walk_whole(walk, Beside(plan, workshop))
    return tuple(walk.performer.reports.values())
