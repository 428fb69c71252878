"""What a job does: one child of a study, into the store. It goes on where an earlier try of it ended."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polylens import errors
from polylens.devices import Options
from polylens.errors import PolylensError, StageError
from polylens.imports import submitit
from polylens.progress import ProgressLines
from polylens.settings import load_settings
from polylens.spec import load
from polylens.study.performing import StageReport
from polylens.study.walk import Elsewhere
from polylens.study.walking_whole import walk_alone


@dataclass(frozen=True)
class Outcome:
    """What a job gives back, which every Python can read that has polylens."""

    reports: tuple[StageReport, ...] = ()
    error: str = ""
    """Name of the error's class; empty where the job did everything."""
    message: str = ""
    hint: str | None = None
    stage: str = ""
    path: str = ""

    @classmethod
    def of_error(cls, error: PolylensError) -> Outcome:
        """The outcome of a job that failed on purpose."""
        stage, path = getattr(error, "stage", ""), getattr(error, "path", "")
        message = error.message.removeprefix(f"stage {stage} failed: ") if stage else str(error.message)
        return cls((), type(error).__name__, message, error.hint, stage, path)

    def to_elsewhere(self) -> Elsewhere:
        """The same for the study that goes on."""
        if not self.error:
            return Elsewhere(self.reports)
        if self.stage:
            return Elsewhere(error=StageError(self.stage, self.message, path=self.path, hint=self.hint))
        known = getattr(errors, self.error)
        is_plain = known not in (errors.SpecError, errors.StageError)
        return Elsewhere(error=(known if is_plain else PolylensError)(self.message, hint=self.hint))


@dataclass(frozen=True)
class Errand:
    """One child of a study for one job; submitit pickles it, calls it, and asks it how to go on."""

    spec: Path
    """The spec's file, absolute."""
    overrides: tuple[str, ...]
    digest: str
    """Of the child's run."""
    store: Path
    options: Options
    limit: int | None

    def __call__(self) -> Outcome:
        """Walks the child; errors that a user can mend are given back, all others are raised."""
        try:
            reports = walk_alone(
                load(self.spec, overrides=self.overrides),
                digest=self.digest,
                settings=replace(load_settings(self.spec), store=self.store, is_scratch=True),
                options=self.options,
                limit=self.limit,
                progress=ProgressLines(sys.stderr),
            )
        except PolylensError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return Outcome.of_error(error)
        return Outcome(reports)

    def checkpoint(self) -> Any:
        """How a job goes on that is put back into the queue: the same again, from what the store has."""
        return submitit().helpers.DelayedSubmission(self)
