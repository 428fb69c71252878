"""Running a study: plan its children, open their runs, walk each, write down what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from polylens.devices import Options
from polylens.errors import PolylensError
from polylens.progress import Progress
from polylens.settings import Settings
from polylens.spec import Study
from polylens.study.beside import Beside
from polylens.study.logs import StudyLog, run_digest
from polylens.study.opening import open_workshop, with_known_layers
from polylens.study.overviews import write_overview
from polylens.study.partial import finish_part
from polylens.study.planning import plan_study
from polylens.study.plans import ChildPlan
from polylens.study.results import Result
from polylens.study.study_results import ChildResult, StudyResult
from polylens.study.verdicts import verdict_of
from polylens.study.walk import Elsewhere, Walk, Workshop
from polylens.study.walking_whole import walk_whole
from polylens.tracking import TrackedRun


def run_study(
    study: Study,
    *,
    settings: Settings,
    options: Options,
    progress: Progress,
    limit: int | None = None,
    elsewhere: Mapping[str, Elsewhere] | None = None,
) -> StudyResult:
    """Does everything a study asks for; what the store and MLflow already have is not done again.

    Args:
        study: the spec that was read.
        settings: the project's.
        options: devices, precision, batch size.
        progress: where the work shows itself.
        limit: examples at most.
        elsewhere: what became of children that jobs walked, by their runs' digests (`logs.run_digest`).

    Raises:
        SpecError: a layer does not exist, or a code or a sampling rule does not fit it.
        DataError: the dataset cannot be opened.
        UsageError: this machine lacks what the options ask for.
    """
    study = with_known_layers(study)
    plans = plan_study(study, settings=settings, options=options, limit=limit, progress=progress)
    done = elsewhere or {}
    walked = [plan for plan in plans if _failure(plan, done) is None]
    tracker = None if settings.is_scratch else settings.tracking_shown
    with open_workshop(
        study,
        plans,
        walked=walked,
        settings=settings,
        options=options,
        progress=progress,
        tracker=tracker,
        elsewhere=done,
    ) as workshop:
        return _run_planned(study, workshop, settings=settings)


def _run_planned(study: Study, workshop: Workshop, *, settings: Settings) -> StudyResult:
    plans, progress = workshop.plans, workshop.progress
    # Computes while MLflow is imported and its runs are opened.
    first = Beside(plans[0], workshop) if _failure_in(plans[0], workshop) is None else None
    workshop.ahead.rehearse(plans, workshop.store)
    log = StudyLog(study, plans, settings=settings, progress=progress)
    results: list[ChildResult] = []
    try:
        n_stages = sum(plan.n_stages for plan in plans)
        with progress.task(study.name, total=n_stages, unit="stages") as stages:
            for plan, run in zip(plans, log.runs, strict=True):
                walk = Walk(plan, workshop, stages=stages)
                beside = first if plan is plans[0] else None
                results.append(_run_child(walk, run, beside=beside, study=study.name, log=log))
    except KeyboardInterrupt:
        log.stop("KILLED", runs=log.runs[len(results) :])
        raise
    except Exception as error:
        log.stop("FAILED", runs=log.runs[len(results) :], reason=f"{type(error).__name__}: {error}")
        raise
    overview = overview_of({study.name: results}, title=study.name)
    status = "FAILED" if any(result.status == "failed" for result in results) else "FINISHED"
    log.finish_parent(status, overview=overview, verdicts=[result.verdict for result in results])
    log.send_kept()
    # Said last, for only now is it known.
    children = tuple(
        replace(result, run_id=run.run_id, is_logged=run.is_in_mlflow and not settings.is_scratch)
        for result, run in zip(results, log.runs, strict=True)
    )
    return StudyResult(children, settings, study.name, overview, log.unlogged_runs(), log.trouble)


def overview_of(studies: Mapping[str, Sequence[ChildResult]], *, title: str) -> Path | None:
    """One page of all children that were done; None of fewer than two.

    Args:
        studies: children of one study or of several, by the name that each goes by on the page.
        title: of the page.
    """
    results = [child for children in studies.values() for child in children]
    done = {
        name: [child for child in children if child.status == "done"] for name, children in studies.items()
    }
    if sum(map(len, done.values())) < 2:
        return None
    failed = [child.name for child in results if child.status == "failed"]
    return write_overview({name: runs for name, runs in done.items() if runs}, title=title, failed=failed)


def _run_child(
    walk: Walk, run: TrackedRun, *, beside: Beside | None, study: str, log: StudyLog
) -> ChildResult:
    failure = _failure_in(walk.plan, walk.workshop)
    if failure is not None:
        return _end_failed(walk, run, study=study, log=log, error=failure)

    def log_found(results: tuple[Result, ...]) -> None:
        if not run.finished:
            log.log_found(run, walk, results)

    try:
        beside = beside or Beside(walk.plan, walk.workshop)
        drawing, results, report = walk_whole(walk, beside, found=log_found)
        page = report.read_text(encoding="utf-8")
        if run.finished:
            log.renew_looks(run, drawing, results=results, page=page)
        else:
            log.log_shown(run, drawing, results=results, reports=walk.performer.reports, page=page)
            run.finish()
    except PolylensError as error:
        return _end_failed(walk, run, study=study, log=log, error=error)
    return _result(walk, run, study=study, results=results, report=report)


def _end_failed(
    walk: Walk, run: TrackedRun, *, study: str, log: StudyLog, error: PolylensError
) -> ChildResult:
    """A child that failed, with what it had finished written to MLflow and onto a page."""
    part = finish_part(walk, error)
    if part is not None and not run.finished:
        log.log_found(run, part.drawing.walk, part.results)
        log.log_shown(run, part.drawing, results=part.results, reports=part.reports, page=part.text())
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


def _failure(plan: ChildPlan, elsewhere: Mapping[str, Elsewhere]) -> PolylensError | None:
    """Why a child failed on another machine; None where it did not, or was on none."""
    walked = elsewhere.get(run_digest(plan)) if elsewhere else None
    return None if walked is None else walked.error


def _failure_in(plan: ChildPlan, workshop: Workshop) -> PolylensError | None:
    return _failure(plan, workshop.elsewhere)
