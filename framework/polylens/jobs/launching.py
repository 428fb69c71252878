"""`polylens run --launcher`: hands runs over as jobs, waits for them, and logs what they gave."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from polylens.devices import Options
from polylens.errors import UsageError, listed, shown_path
from polylens.jobs.book import Entry, JobBook
from polylens.jobs.clusters import Cluster, cluster_of
from polylens.jobs.endings import ending_of
from polylens.jobs.errand import Errand
from polylens.progress import Progress
from polylens.settings import Settings
from polylens.settings.jobs import Jobs
from polylens.spec import Study
from polylens.store import JOBS, Store, check_shared, in_use, mark_finished
from polylens.study.checking import check_deep, check_inputs
from polylens.study.logs import run_digest
from polylens.study.opening import with_known_layers
from polylens.study.planning import plan_study
from polylens.study.plans import ChildPlan
from polylens.study.running import run_study
from polylens.study.stages import are_stored
from polylens.study.study_results import StudyResult
from polylens.study.walk import Elsewhere

_SECONDS_BETWEEN_LOOKS = 0.5


def run_by_jobs(
    studies: Sequence[Study],
    *,
    settings: Sequence[Settings],
    options: Options,
    limit: int | None,
    launcher: str,
    asked: Sequence[str],
    progress: Progress,
) -> list[StudyResult]:
    """Does what studies ask for by jobs, one for each run of which the store lacks something.

    Jobs that an earlier command handed over and that still wait or run are not handed over again. When all
    have ended, this process finds their stages in the store, and logs the runs.

    Args:
        studies: the specs that were read.
        settings: of each study.
        options: devices, machines, precision, batch size of each job.
        limit: examples at most.
        launcher: one of `clusters.LAUNCHERS`.
        asked: what the command line says in place of settings of jobs, each `KEY=VALUE`.
        progress: where the work shows itself.

    Raises:
        PolylensError: as `run_study`, before anything is handed over.
        UsageError: there is no such cluster here, or it refuses the jobs.
        KeyboardInterrupt: the user interrupted; said before what becomes of the jobs.
    """
    launched: list[_Launched] = []
    try:
        for study, each in zip(studies, settings, strict=True):
            jobs = each.jobs.with_asked(asked)
            launched.append(_launch(study, each, options, limit, launcher, jobs, progress))
        with ExitStack() as held:
            for root in {each.store for each in settings}:
                # No run refers to what jobs finish until all have ended: nothing may be cleared meanwhile.
                held.enter_context(in_use(root))
            ended = [each.wait() for each in launched]
    except KeyboardInterrupt:
        for handed_over in launched:
            handed_over.leave()
        raise
    return [
        run_study(
            each.study,
            settings=each.settings,
            options=options,
            progress=progress,
            limit=limit,
            elsewhere=elsewhere,
        )
        for each, elsewhere in zip(launched, ended, strict=True)
    ]


def _launch(
    study: Study,
    settings: Settings,
    options: Options,
    limit: int | None,
    launcher: str,
    jobs: Jobs,
    progress: Progress,
) -> _Launched:
    """Everything that can fail before a job is handed over, then the jobs that are lacking."""
    if study.source is None:
        raise UsageError("jobs read a spec's file, and this spec has none")
    store = Store(settings.store)
    folder = store.root / JOBS / study.name
    cluster = cluster_of(launcher, folder=folder, jobs=jobs, options=options)
    known = with_known_layers(study)
    plans = plan_study(known, settings=settings, options=options, limit=limit, progress=progress)
    store.prepare()
    if launcher != "local":
        check_shared(store.root)
    lacking = {run_digest(plan): plan for plan in plans if not are_stored(plan.stages(), store)}
    if lacking:
        check_deep(known)
        check_inputs(known, list(lacking.values()))
    errands = {
        digest: Errand(study.source.absolute(), study.overrides, digest, store.root, options, limit)
        for digest in lacking
    }
    launched = _Launched(study, settings, progress, cluster, JobBook(folder), launcher, lacking, errands)
    launched.begin(stored=[digest for plan in plans if (digest := run_digest(plan)) not in lacking])
    return launched


@dataclass
class _Launched:
    """The runs of one study that jobs do."""

    study: Study
    settings: Settings
    progress: Progress
    cluster: Cluster
    book: JobBook
    launcher: str
    plans: dict[str, ChildPlan]
    """Of the runs that the store lacks something of, by digest."""
    waiting: dict[str, Errand]
    """Those of no job yet."""
    running: dict[str, Any] = field(default_factory=dict)
    """submitit's jobs."""

    def begin(self, *, stored: Sequence[str]) -> None:
        """Finds the jobs of earlier commands again, and hands over those that are lacking.

        Args:
            stored: digests of the runs that the store has everything of.
        """
        if stored and self.plans:
            self.progress.note(
                f"{self.study.name}: {len(stored)} of {len(stored) + len(self.plans)} runs are stored"
            )
        self._mark_those_that_nobody_waited_for(stored)
        if not self.waiting:
            return
        with self.book.open():
            self._find_again()
            self._hand_over()

    def wait(self) -> dict[str, Elsewhere]:
        """What became of each run, when all jobs have ended."""
        ended: dict[str, Elsewhere] = {}
        total = len(self.running) + len(self.waiting)
        if not total:
            return ended
        with self.progress.task(f"{self.study.name}: jobs", total=total, unit="jobs") as task:
            while self.running or self.waiting:
                for digest, job in [*self.running.items()]:
                    if self.cluster.is_going(job):
                        continue
                    ended[digest] = ending_of(job, state=self.cluster.state(job))
                    del self.running[digest]
                    word = "done" if ended[digest].error is None else "failed"
                    if word == "done":
                        mark_finished(self.cluster.folder, job.job_id)
                    self.progress.note(f"{self.plans[digest].name}: {word} (job {job.job_id})")
                    task.advance()
                if self._room():
                    with self.book.open():
                        self._hand_over()
                elif self.running:
                    time.sleep(_SECONDS_BETWEEN_LOOKS)
        return ended

    def leave(self) -> None:
        """Says what becomes of the jobs now that nobody waits for them."""
        going = [job for job in self.running.values() if self.cluster.is_going(job)]
        if going:
            self.progress.note(self.cluster.leave(going))

    def _mark_those_that_nobody_waited_for(self, stored: Sequence[str]) -> None:
        known = self.book.entries()
        for digest in stored:
            entry = known.get(digest)
            if entry is None or entry.launcher != self.launcher:
                continue
            job = self.cluster.job(entry.job)
            if job.paths.result_pickle.exists():
                mark_finished(self.cluster.folder, entry.job)

    def _find_again(self) -> None:
        known = self.book.entries()
        for digest, plan in self.plans.items():
            entry = known.get(digest)
            if entry is None or entry.launcher != self.launcher:
                continue
            job = self.cluster.job(entry.job)
            if self.cluster.is_going(job):
                self.running[digest] = job
                del self.waiting[digest]
                continue
            state = self.cluster.state(job).lower()
            self.progress.note(f"{plan.name}: job {entry.job} ended and did not finish it ({state})")
        if self.running:
            names = listed([self.plans[digest].name for digest in self.running], most=4)
            self.progress.note(f"jobs of an earlier command go on: {names}")

    def _room(self) -> int:
        """How many of those that wait may be handed over now."""
        most = len(self.waiting) if self.cluster.at_once is None else self.cluster.at_once - len(self.running)
        return min(len(self.waiting), max(most, 0))

    def _hand_over(self) -> None:
        chosen = [*self.waiting][: self._room()]
        if not chosen:
            return
        jobs = self.cluster.hand_over([self.waiting[digest] for digest in chosen], name=self.study.name)
        for digest, job in zip(chosen, jobs, strict=True):
            self.running[digest] = job
            del self.waiting[digest]
        names = {digest: self.plans[digest].name for digest in chosen}
        self.book.note(
            {
                digest: Entry(self.running[digest].job_id, name, self.launcher)
                for digest, name in names.items()
            }
        )
        numbers = listed([job.job_id for job in jobs], most=3)
        logs = shown_path(self.cluster.folder)
        self.progress.note(f"{listed([*names.values()], most=4)}: job {numbers}; logs in {logs}/")
