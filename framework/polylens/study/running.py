"""Running a study: plan its children, open their runs, walk each, write down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from polylens.devices import Options, compute_on
from polylens.errors import PolylensError
from polylens.progress import Progress
from polylens.settings import Settings
from polylens.spec import Experiment, Study
from polylens.store import Store, in_use
from polylens.study.ahead import Ahead
from polylens.study.beside import Beside, is_given_away
from polylens.study.drawing import Drawing
from polylens.study.logs import StudyLog
from polylens.study.overviews import write_overview
from polylens.study.pages import write_report
from polylens.study.partial import finish_part
from polylens.study.planning import plan_study
from polylens.study.plans import ChildPlan
from polylens.study.results import Result, results_of
from polylens.study.stages import are_stored
from polylens.study.study_results import ChildResult, StudyResult
from polylens.study.verdicts import verdict_of
from polylens.study.walk import Walk, Workshop
from polylens.tracking import TrackedRun
from polylens.work import Judging

ANSWERS = "answers"
"""Folder of the store that keeps what judges answered."""


def run_study(
    study: Study, *, settings: Settings, options: Options, progress: Progress, limit: int | None = None
) -> StudyResult:
    """Does everything a study asks for; what the store and MLflow already have is not done again.

    Raises:
        SpecError: a layer does not exist, or a code or a sampling rule does not fit it.
        DataError: the dataset cannot be opened.
        UsageError: this machine lacks what the options ask for.
    """
    store = Store(settings.store)
    study = study.with_layers(_layer_names)
    plans = plan_study(study, settings=settings, options=options, limit=limit, progress=progress)
    with Ahead() as ahead, compute_on(options.accelerator):
        if not all(_is_harvested(plan, store) for plan in plans):
            if any(is_given_away(plan, options) for plan in plans):
                ahead.warm_up()  # while this process imports the same
            from polylens.study.checking import check_deep, check_inputs

            options.check_here()
            check_deep(study)
            check_inputs(study, plans)
        store.prepare()
        judging = Judging(settings.judges, settings.store / ANSWERS, settings.project)
        workshop = Workshop(store, settings.project, options, progress, plans, ahead, judging)
        tracker = None if settings.is_scratch else settings.tracking_shown
        with in_use(settings.store, tracker=tracker):
            return _run_planned(study, workshop, settings=settings)


def _run_planned(study: Study, workshop: Workshop, *, settings: Settings) -> StudyResult:
    plans, progress = workshop.plans, workshop.progress
    first = Beside(plans[0], workshop)  # computes while MLflow is imported and its runs are opened
    workshop.ahead.rehearse(plans, workshop.store)
    log = StudyLog(study, plans, settings=settings, progress=progress)
    results: list[ChildResult] = []
    try:
        n_stages = sum(plan.n_stages for plan in plans)
        with progress.task(study.name, total=n_stages, unit="stages") as stages:
            for plan, run in zip(plans, log.runs, strict=True):
                walk = Walk(plan, workshop, stages=stages)
                beside = first if plan is plans[0] else Beside(plan, workshop)
                results.append(_run_child(walk, run, beside=beside, study=study.name, log=log))
    except KeyboardInterrupt:
        log.stop("KILLED", runs=log.runs[len(results) :])
        raise
    except Exception as error:
        log.stop("FAILED", runs=log.runs[len(results) :], reason=f"{type(error).__name__}: {error}")
        raise
    overview = overview_of(results, name=study.name)
    status = "FAILED" if any(result.status == "failed" for result in results) else "FINISHED"
    log.finish_parent(status, overview=overview, verdicts=[result.verdict for result in results])
    log.send_kept()
    # Said last, for only now is it known.
    children = tuple(
        replace(result, run_id=run.run_id, is_logged=run.is_in_mlflow and not settings.is_scratch)
        for result, run in zip(results, log.runs, strict=True)
    )
    return StudyResult(children, settings, study.name, overview, log.unlogged_runs(), log.trouble)


def overview_of(results: Sequence[ChildResult], *, name: str) -> Path | None:
    """One page of all children that were done, of one study or of several; None of fewer than two."""
    done = [child for child in results if child.status == "done"]
    if len(done) < 2:
        return None
    failed = [child.name for child in results if child.status == "failed"]
    return write_overview(done, title=name, failed=failed)


def _run_child(walk: Walk, run: TrackedRun, *, beside: Beside, study: str, log: StudyLog) -> ChildResult:
    try:
        walk.performer.take_over(beside.training_reports())
        for number, variant in enumerate(walk.plan.variants):
            walk.performer.take_over(beside.variant_reports(number))
            walk.walk(variant)
        drawing = Drawing(walk)
        drawing.all_figures()
        results = results_of(walk)
        report = write_report(drawing, results)
        page = report.read_text(encoding="utf-8")
        if run.finished:
            log.renew_looks(run, drawing, results=results, page=page)
        else:
            log.log_results(run, drawing, results=results, reports=walk.performer.reports, page=page)
            run.finish()
    except PolylensError as error:
        return _end_failed(walk, run, study=study, log=log, error=error)
    finally:
        beside.give_up()
    return _result(walk, run, study=study, results=results, report=report)


def _end_failed(
    walk: Walk, run: TrackedRun, *, study: str, log: StudyLog, error: PolylensError
) -> ChildResult:
    """A child that failed, with what it had finished written to MLflow and onto a page."""
    part = finish_part(walk, error)
    if part is not None and not run.finished:
        log.log_results(run, part.drawing, results=part.results, reports=part.reports, page=part.text())
    log.stop("FAILED", runs=[run], reason=str(error))
    if part is None:
        return _result(walk, run, study=study, error=error)
    return _result(walk, run, study=study, results=part.results, report=part.page, error=error)


def _result(
    walk: Walk,
    run: TrackedRun,
    *,
    study: str,
    results: tuple[Result, ...] = (),
    report: Path | None = None,
    error: PolylensError | None = None,
) -> ChildResult:
    return ChildResult(
        name=run.name,
        status="done" if error is None else "failed",
        layer=walk.plan.experiment.layer,
        digest=run.identity.digest,
        run_id=run.run_id,
        results=results,
        verdict=verdict_of(walk.plan.experiment.refuted_if, results),
        labels={} if error else {name: walk.naming.labels(walk.own, name) for name in walk.own.labels},
        stages=tuple(walk.performer.reports.values()),
        report=report,
        error=error,
        study=study,
        walk=walk,
    )


def _layer_names(experiment: Experiment) -> tuple[str, ...]:
    # Building a network imports torch, which a run that finds everything stored can do without.
    from polylens.study.checking import layer_names

    return layer_names(experiment)


def _is_harvested(plan: ChildPlan, store: Store) -> bool:
    takes = [planned.stage for variant in plan.variants for planned in variant.takes.values()]
    return are_stored(takes, store)
