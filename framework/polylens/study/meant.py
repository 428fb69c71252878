"""Which past runs are meant by what a person writes: an id, the start of one, a name, or a spec's path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polylens.devices import Options
from polylens.errors import UsageError, shown_path
from polylens.progress import Silent
from polylens.settings import Settings
from polylens.spec import Experiment, load
from polylens.study.logs import run_digest
from polylens.study.past import PastRun
from polylens.study.planning import plan_study
from polylens.tracking import LoggedRun, Lookup, RunFiles

_ENDINGS = (".yaml", ".yml")
_MOST_NAMED = 20


@dataclass(frozen=True)
class PastRuns:
    """Past runs of one project."""

    settings: Settings
    lookup: Lookup

    def meant(self, asked: str) -> tuple[PastRun, ...]:
        """All runs that are meant: of a spec, or of a run with children, every child.

        Args:
            asked: MLflow's id, the start of one, a run's name (the newest finished one is taken, which its
                `note` says), or the path of a spec (its runs as it is now).

        Raises:
            UsageError: there is no such run; says which are near, or what to do.
            SpecError: the spec is wrong.
            TrackingError: MLflow cannot be asked.
        """
        if is_spec(asked):
            return self._of_spec(Path(asked))
        runs = self.lookup.find(asked)
        run, note = self._newest(asked, runs)
        children = [each for each in self.lookup.runs() if each.parent_id == run.run_id]
        if not children:
            return (self._past(run, note),)
        # They are listed newest first, and were opened in the spec's order.
        return tuple(self._past(each, note) for each in children[::-1])

    def one(self, asked: str) -> PastRun:
        """The run that is meant; raises as `meant` does, and where there are several children."""
        runs = self.meant(asked)
        if len(runs) > 1:
            listed = "\n  ".join(run.logged.shown for run in runs[:_MOST_NAMED])
            raise UsageError(f"'{asked}' stands for {len(runs)} runs", hint=f"say which:\n  {listed}")
        return runs[0]

    def _newest(self, asked: str, runs: Sequence[LoggedRun]) -> tuple[LoggedRun, str]:
        if len(runs) == 1:
            return runs[0], ""
        finished = [run for run in runs if run.is_finished]
        if not finished:
            listed = "; ".join(run.shown for run in runs[:_MOST_NAMED])
            raise UsageError(f"no run '{asked}' is finished", hint=f"give the id of one: {listed}")
        run = finished[0]
        return run, f"{len(runs)} runs are called '{asked}': the newest finished one is {run.shown}"

    def _of_spec(self, path: Path) -> tuple[PastRun, ...]:
        study = load(path).with_layers(_layer_names)
        plans = plan_study(study, settings=self.settings, options=Options(), limit=None, progress=Silent())
        by_digest: dict[str | None, LoggedRun] = {}
        for run in reversed(self.lookup.runs()):
            if run.is_finished:
                by_digest[run.spec_digest] = run
        missing = [plan.name for plan in plans if run_digest(plan) not in by_digest]
        if missing:
            names = {run.name for run in by_digest.values()}
            older = any(name in names for name in missing)
            known = "; runs of that name are of an earlier spec, or of other data: give the id of one"
            raise UsageError(
                f"{shown_path(path)} as it is now has no finished run of {', '.join(missing)}",
                hint=f"`polylens run {shown_path(path)}` makes it{known if older else ''}",
            )
        return tuple(self._past(by_digest[run_digest(plan)], "") for plan in plans)

    def _past(self, run: LoggedRun, note: str) -> PastRun:
        return PastRun(run, RunFiles(run, self.lookup), self.settings, note)


def _layer_names(experiment: Experiment) -> tuple[str, ...]:
    # Only a pattern of layers needs the network, and with it torch.
    from polylens.study.checking import layer_names

    return layer_names(experiment)


def is_spec(asked: str) -> bool:
    """Whether a run is named by the path of its spec."""
    return asked.endswith(_ENDINGS)


def past_runs(settings: Settings) -> PastRuns:
    """The past runs of a project; MLflow is asked when one is looked for."""
    return PastRuns(settings, Lookup(settings))
