"""What a study writes to MLflow: a parent, its children; for each spec, numbers, tables, pictures, report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from polylens.digests import digest
from polylens.plugin import packages_in
from polylens.progress import Progress
from polylens.reading import write
from polylens.records import Number, Verdict
from polylens.settings import Settings
from polylens.spec import Study, spec_digest
from polylens.study.drawing import Drawing
from polylens.study.metrics import answering_metrics, metrics_of
from polylens.study.origins import origins_of
from polylens.study.pages import report_stage
from polylens.study.performing import StageReport
from polylens.study.plans import ChildPlan
from polylens.study.results import Result
from polylens.study.run_pages import (
    about_experiment,
    answering_names,
    code_tags,
    curves_of,
    description,
    means_of_children,
    note_tags,
    parent_tags,
    result_tags,
    without_edited_note,
)
from polylens.study.run_tables import tables_of
from polylens.study.walk import Walk
from polylens.tracking import (
    ERROR_TAG,
    LAYER_TAG,
    LOOKS_TAG,
    MODEL_TAG,
    ORIGINS,
    SPEC_TAG,
    Input,
    TrackedRun,
    Tracker,
    collect_provenance,
    commit_of_spec,
)

_NOT_PARAMS = ("about", "claim", "refuted_if")
"""Keys of a spec that change no number; MLflow's params cannot be changed."""


class StudyLog:
    """The runs of a study in MLflow, opened before anything is computed: a crash is documented too."""

    def __init__(
        self, study: Study, plans: Sequence[ChildPlan], *, settings: Settings, progress: Progress
    ) -> None:
        self.study = study
        self._tracker = Tracker(settings, progress=progress)
        self._tracker.send_kept()
        experiment = mlflow_experiment(study)
        # What is finished in MLflow was prepared; without preparing, MLflow need not be imported.
        if not self._tracker.has_finished(experiment, _digest_of(plans)):
            self._tracker.prepare(experiment)
            self._tracker.describe(
                experiment,
                about=about_experiment(study),
                spec=study.name,
                metrics=answering_names(study.children[0].experiment),
            )
        self._stages: dict[str, dict[str, str]] = {}
        # Asked of git once, before anything is computed: later commits are none of what was read.
        self._commit_of_spec = cache(partial(commit_of_spec, study.source))
        self.parent = self._open_parent(experiment, plans) if len(plans) > 1 else None
        self.runs = tuple(self._open_child(experiment, plan) for plan in plans)

    def send_kept(self) -> None:
        """Tries once more to send what could not be sent while the server was away."""
        if self._tracker.is_away:
            self._tracker.send_kept()

    def unlogged_runs(self) -> tuple[str, ...]:
        """Names of the runs of which MLflow lacks something that was logged to them."""
        runs = self.runs if self.parent is None else (self.parent, *self.runs)
        return tuple(run.name for run in runs if not run.is_in_mlflow)

    @property
    def trouble(self) -> str:
        """Why something was last kept instead of sent."""
        return self._tracker.trouble

    def finish_parent(
        self, status: str, *, overview: Path | None, verdicts: Sequence[Verdict | None] = ()
    ) -> None:
        """Ends the parent run: means and a table of its children and, where there is one, the page of all.

        A parent that is finished takes the page as it looks now, and its children's verdicts.
        """
        parent = self.parent
        if parent is None:
            return
        # The page lies in a folder named by its stage's digest.
        looks = None if overview is None else overview.parent.name
        is_new = not parent.finished or (parent.run_id is not None and parent.looks != looks)
        if overview is not None and looks is not None and is_new:
            parent.log_report(overview.read_text(encoding="utf-8"))
            tags = {SPEC_TAG: self.study.name, LOOKS_TAG: looks}
            names = [run.name for run in self.runs]
            experiment = self.study.children[0].experiment
            below = {run.name.removeprefix(self.study.name).strip(): run.tags for run in self.runs}
            tags |= parent_tags(experiment, dict(zip(names, verdicts, strict=False)), children=below)
            parent.set_tags(without_edited_note(tags, before=parent.tags))
        if not parent.finished:
            parent.log_numbers({}, metrics=means_of_children([run.metrics for run in self.runs]))
            parent.log_children(self.runs)
            parent.finish(status)

    def stop(self, status: str, *, runs: Sequence[TrackedRun], reason: str = "") -> None:
        """Marks runs that did not come to their end: `FAILED` with the reason, or `KILLED`."""
        for run in runs:
            if run.finished:
                continue
            if reason:
                run.set_tags({ERROR_TAG: reason})
            run.finish(status)
        if status == "KILLED" and self.parent is not None:
            self.parent.finish(status)

    def _open_parent(self, experiment: str, plans: Sequence[ChildPlan]) -> TrackedRun:
        run = self._tracker.open_run(
            experiment=experiment,
            name=self._run_name(self.study.name, plans[0]),
            digest=_digest_of(plans),
            tags=self._tags(plans[0]),
        )
        if not run.finished:
            run.log_spec(written=self.study.written, resolved=write(self.study.resolved))
            run.log_provenance(self._provenance(plans[0]))
        return run

    def _open_child(self, experiment: str, plan: ChildPlan) -> TrackedRun:
        self._stages[run_digest(plan)] = {stage.name: stage.digest for stage in plan.stages()}
        run = self._tracker.open_run(
            experiment=experiment,
            name=self._run_name(plan.name, plan),
            digest=run_digest(plan),
            parent=self.parent,
            tags=self._tags(plan) | {LAYER_TAG: plan.experiment.layer},
        )
        if not run.finished:
            resolved = plan.experiment.to_plain()
            run.log_spec(written=self.study.written, resolved=write(resolved))
            origins = origins_of(self.study, plan.point)
            run.log_artifact(ORIGINS, json.dumps(origins, indent=2, ensure_ascii=False).encode())
            params = {key: value for key, value in resolved.items() if key not in _NOT_PARAMS}
            run.log_params(params if plan.limit is None else {**params, "limit": plan.limit})
            # From the start: what a run that came to no end refers to must not be cleared from the store.
            run.log_provenance({**self._provenance(plan), "stages": self._stages[run.identity.digest]})
        return run

    def _run_name(self, name: str, plan: ChildPlan) -> str:
        """The name with what `--set` and `--limit` changed, to tell variations of one spec apart."""
        changed = (text.partition("=") for text in self.study.overrides)
        variations = [f"{key.rpartition('.')[2]}={value}" for key, _, value in changed]
        limited = [] if plan.limit is None else [f"limit={plan.limit}"]
        return " ".join([name, *variations, *limited])

    def _tags(self, plan: ChildPlan) -> dict[str, str]:
        return {
            **note_tags(description(plan.experiment)),
            SPEC_TAG: self.study.name,
            MODEL_TAG: plan.names["model"],
        }

    def _provenance(self, plan: ChildPlan, seconds: Mapping[str, float] | None = None) -> dict[str, Any]:
        return collect_provenance(
            spec_file=self.study.source,
            seed=plan.seed,
            spec_commit=self._commit_of_spec(),
            seconds=seconds,
            packages=packages_in(plan.experiment),
        ).to_plain()

    def log_found(self, run: TrackedRun, walk: Walk, results: Sequence[Result]) -> None:
        """Writes the numbers, curves and tables that one child found."""
        plan = walk.plan
        run.log_inputs(datasets=_datasets(plan), weights=_weights(plan))
        counts = {"examples": len(plan.examples), "rows": len(walk.rows(plan.own))}
        run.log_numbers(
            {**metrics_of(results), **{name: Number(count) for name, count in counts.items()}},
            metrics={**answering_metrics(results), **counts},
        )
        for name, points in curves_of(walk):
            run.log_curve(name, points)
        for name, table in tables_of(walk, results):
            run.log_table(name, table)

    def log_shown(
        self,
        run: TrackedRun,
        drawing: Drawing,
        *,
        results: Sequence[Result],
        reports: Mapping[str, StageReport],
        page: str | None,
    ) -> None:
        """Writes figures, page, verdict and how long stages took; the caller ends the run."""
        for figure in drawing.figures():
            run.log_figure(figure)
        if page is not None:
            run.log_report(page)
        walk, stages = drawing.walk, self._stages[run.identity.digest]
        seconds = {name: stage.seconds for name, stage in reports.items() if stage.status == "ran"}
        run.log_provenance({**self._provenance(walk.plan, seconds), "stages": stages})
        tags = {**code_tags(walk), **result_tags(walk, results), LOOKS_TAG: _looks(drawing)}
        run.set_tags(without_edited_note(tags, before=run.tags))

    def renew_looks(self, run: TrackedRun, drawing: Drawing, *, results: Sequence[Result], page: str) -> None:
        """Gives a finished run figures, page and verdict as they are now, where MLflow has older ones.

        No number is logged again. A run that still waits to be sent is left as it waits.
        """
        looks = _looks(drawing)
        if run.run_id is None or run.looks == looks:
            return
        for figure in drawing.figures():
            run.log_figure(figure)
        run.log_captions()
        run.log_report(page)
        run.log_spec(written=self.study.written, resolved=write(drawing.walk.plan.experiment.to_plain()))
        tags = {SPEC_TAG: self.study.name, LOOKS_TAG: looks}
        run.set_tags(without_edited_note(tags | result_tags(drawing.walk, results), before=run.tags))


def _looks(drawing: Drawing) -> str:
    """Digest of what a run's figures and page are of, and of the sources that made them."""
    return digest([stage.digest for stage in (*drawing.figure_stages(), report_stage(drawing))])


def _digest_of(plans: Sequence[ChildPlan]) -> str:
    """Digest of the run that all others lie under: the parent, or the only child."""
    digests = [run_digest(plan) for plan in plans]
    return digests[0] if len(digests) == 1 else digest(digests)


def run_digest(plan: ChildPlan) -> str:
    """Digest of a child's run: its spec and every stage, so that other data or flags make another run."""
    stages = [stage.digest for stage in plan.stages()]
    return digest({"spec": spec_digest(plan.child), "stages": stages})


def mlflow_experiment(study: Study) -> str:
    """The MLflow experiment: the spec's folder under `experiments/`, or the folder it lies in.

    `experiments/digits/mlp-clusters.yaml` belongs to `digits`, and `polytopes/experiments/first.yaml`, which
    lies in no folder below, to `polytopes`, as its project is called.
    """
    if study.source is None:
        return "polylens"
    folder = study.source.resolve().parent
    parts = folder.parts
    if "experiments" in parts:
        last = len(parts) - 1 - parts[::-1].index("experiments")
        below = Path(*parts[last + 1 :])
        return below.as_posix() if below.parts else folder.parent.name or "polylens"
    return folder.name or "polylens"


def _datasets(plan: ChildPlan) -> list[Input]:
    profile = {"examples": len(plan.examples), "classes": len(plan.examples.classes)}
    source = plan.experiment.dataset.to_plain()
    inputs = [
        Input(plan.names["dataset"], plan.examples.fingerprint, source, profile),
    ]
    if plan.train_examples is not None:
        inputs.append(
            Input(
                f"{plan.names['dataset']} (train)",
                plan.train_examples.fingerprint,
                source,
                {"examples": len(plan.train_examples)},
            )
        )
    return inputs


def _weights(plan: ChildPlan) -> list[Input]:
    model = plan.experiment.model
    own = plan.own.training.digest if plan.own.training is not None else model.weights_digest(root=plan.root)
    return [Input(plan.names["model"], own or digest(model.identity()), model.to_plain())]
