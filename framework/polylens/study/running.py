"""Running a study: plan its children, open their runs, walk each, write down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from polylens.devices import Options, computing_on
from polylens.errors import PolylensError, listed, shown_path
from polylens.progress import Progress
from polylens.records import Labels, Number
from polylens.settings import Settings
from polylens.spec import Experiment, Study
from polylens.store import Store
from polylens.study.ahead import Ahead
from polylens.study.beside import Beside
from polylens.study.drawing import Drawing
from polylens.study.logs import StudyLog
from polylens.study.metrics import metrics_of
from polylens.study.overviews import Finished, write_overview
from polylens.study.pages import write_report
from polylens.study.partial import finish_part
from polylens.study.performing import StageReport
from polylens.study.planning import plan_study
from polylens.study.plans import ChildPlan
from polylens.study.results import Result, results_of
from polylens.study.walk import Walk, Workplace
from polylens.tracking import TrackedRun


@dataclass(frozen=True)
class ChildResult:
    """What came of one child."""

    name: str
    status: str
    """`done` or `failed`."""
    layer: str
    digest: str
    """Digest of the run: the spec and every stage."""
    run_id: str | None
    """MLflow's id; None where MLflow has not heard of the run."""
    results: tuple[Result, ...] = field(default=(), repr=False)
    """Every number, with each control's beside it; of a child that failed those that were finished."""
    labels: dict[str, Labels] = field(default_factory=dict, repr=False)
    """Labels of the network's clusters, by their name in the spec."""
    stages: tuple[StageReport, ...] = field(default=(), repr=False)
    report: Path | None = None
    """The HTML page in the store."""
    is_logged: bool = field(default=False, repr=False)
    """Whether MLflow has everything that was logged to the run; what it lacks is kept in the store."""
    error: PolylensError | None = None
    study: str = field(kw_only=True)
    """Name of its spec."""
    walk: Walk = field(kw_only=True, repr=False)
    """From which rows, findings and labels can be read."""

    @property
    def numbers(self) -> dict[str, Number]:
        """Numbers by metric name."""
        return metrics_of(self.results)

    def to_plain(self) -> dict[str, Any]:
        """The child as `run --json` prints it."""
        plain: dict[str, Any] = {
            "run_id": self.run_id,
            "name": self.name,
            "status": self.status,
            "spec_digest": self.digest,
            "layer": self.layer,
            "logged": self.is_logged,
            "metrics": {name: number.value for name, number in self.numbers.items()},
            "stages": [
                {"name": stage.name, "status": stage.status, "seconds": round(stage.seconds, 3)}
                for stage in self.stages
            ],
        }
        if self.error is not None:
            plain["error"] = str(self.error)
        return plain


@dataclass(frozen=True)
class StudyResult:
    """What came of a study."""

    children: tuple[ChildResult, ...]
    settings: Settings = field(repr=False)
    name: str = ""
    overview: Path | None = None
    """The HTML page of all children together in the store; None where fewer than two were done."""
    unlogged: tuple[str, ...] = field(default=(), repr=False)
    """Names of the runs of which MLflow lacks something; it is kept in the store and sent by a later run."""
    trouble: str = field(default="", repr=False)
    """Why MLflow lacks it."""

    @property
    def unlogged_in_words(self) -> str:
        """What MLflow lacks, why, and what becomes of it; empty where it has everything."""
        if not self.unlogged:
            return ""
        kept = shown_path(self.settings.store / "kept")
        why = f" ({self.trouble})" if self.trouble else ""
        return (
            f"not in MLflow: {listed(self.unlogged, most=5)}{why}\n"
            f"  kept in {kept}; the next polylens run, or polylens ui, sends it"
        )

    @property
    def failed(self) -> tuple[ChildResult, ...]:
        """The children that failed."""
        return tuple(child for child in self.children if child.status == "failed")


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
    with Ahead() as ahead, computing_on(options.accelerator):
        if not all(_is_harvested(plan, store) for plan in plans):
            ahead.warm_up()  # while this process imports the same
            from polylens.study.checking import check_deep, check_inputs

            options.check_here()
            check_deep(study)
            check_inputs(study, plans)
        store.prepare()
        place = Workplace(store, settings.project, options, progress, plans, ahead)
        return _run_planned(study, place, settings=settings)


def _run_planned(study: Study, place: Workplace, *, settings: Settings) -> StudyResult:
    plans, progress = place.plans, place.progress
    first = Beside(plans[0], place)  # computes while MLflow is imported and its runs are opened
    place.ahead.rehearse(plans, place.store)
    log = StudyLog(study, plans, settings=settings, progress=progress)
    results: list[ChildResult] = []
    try:
        n_stages = sum(plan.n_stages for plan in plans)
        with progress.task(study.name, total=n_stages, unit="stages") as stages:
            for plan, run in zip(plans, log.runs, strict=True):
                walk = Walk(plan, place, stages=stages)
                beside = first if plan is plans[0] else Beside(plan, place)
                results.append(_run_child(walk, run, beside=beside, study=study.name, log=log))
    except KeyboardInterrupt:
        log.stop("KILLED", runs=log.runs[len(results) :])
        raise
    except Exception as error:
        log.stop("FAILED", runs=log.runs[len(results) :], reason=f"{type(error).__name__}: {error}")
        raise
    overview = overview_of(results, name=study.name)
    status = "FAILED" if any(result.status == "failed" for result in results) else "FINISHED"
    log.finish_parent(status, overview=overview)
    log.send_kept()
    # Said last, for only now is it known.
    children = tuple(
        replace(result, run_id=run.run_id, is_logged=run.is_in_mlflow)
        for result, run in zip(results, log.runs, strict=True)
    )
    return StudyResult(children, settings, study.name, overview, log.unlogged_runs(), log.trouble)


def overview_of(results: Sequence[ChildResult], *, name: str) -> Path | None:
    """One page of all children that were done, of one study or of several; None of fewer than two."""
    done = [Finished(child.study, child.walk, child.results) for child in results if child.status == "done"]
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
            log.renew_looks(run, drawing, page=page)
        else:
            log.log_results(run, drawing, results=results, reports=walk.performer.reports, page=page)
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
        layer=walk.plan.child.experiment.layer,
        digest=run.identity.digest,
        run_id=run.run_id,
        results=results,
        labels={} if error else {name: walk.labels(walk.plan.own, name) for name in walk.plan.own.labels},
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
    return all(store.has(stage.kind, stage.digest) for stage in takes)
