"""Doing stages: each once, reported, read back from the store, and done again where the store was damaged."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from polylens.errors import PolylensError, StageError, StoreError, shown_path
from polylens.plugin import packages
from polylens.progress import Progress, Task, Under
from polylens.store import Store
from polylens.study.stages import Stage

Value = TypeVar("Value")


@dataclass(frozen=True)
class StageReport:
    """What became of one stage."""

    name: str
    status: str
    """`ran`, `stored` or `failed`."""
    seconds: float
    """How long it took; of several stages done at once an equal share."""


class Performer:
    """Does the stages of one child and keeps a report of each."""

    def __init__(self, store: Store, progress: Progress, *, stages: Task | None = None) -> None:
        self.store = store
        self.progress = progress
        self.reports: dict[str, StageReport] = {}
        self._stages = stages

    def is_stored(self, stage: Stage) -> bool:
        """Whether the store has the stage."""
        return self.store.has(stage.kind, stage.digest)

    def progress_of(self, stage: Stage) -> Progress:
        """Progress whose titles start with the stage's name."""
        return Under(stage.name, self.progress)

    def perform(self, stage: Stage, work: Callable[[Path], None]) -> None:
        """Does one stage, unless the store has it."""
        if self.is_stored(stage):
            self.report_stored(stage)
            return
        writing = self.store.write_stage(
            stage.kind, stage.digest, about=stage.about(), progress=self.progress
        )
        with self.report_failure([stage]), writing as folder:
            if folder is not None:  # None: another process finished the stage while this one waited
                work(folder)

    def open(self, stage: Stage) -> Path:
        """The stage's folder in the store, verified."""
        return self.store.open(stage.kind, stage.digest)

    def read(self, read: Callable[[], Value], *, again: Callable[[], None]) -> Value:
        """Reads a stored result; a damaged one was put aside by the store, and is computed again once."""
        try:
            return read()
        except StoreError as error:
            self.progress.note(f"{error.message}; computing it again")
            again()
            return read()

    def report_stored(self, stage: Stage) -> None:
        """Reports a stage that the store had."""
        self._report(stage.name, "stored", 0.0)

    def take_over(self, reports: Iterable[StageReport]) -> None:
        """Reports stages that another process did for this one."""
        for report in reports:
            self._report(report.name, report.status, report.seconds)

    @contextmanager
    def report_failure(self, stages: Sequence[Stage]) -> Iterator[None]:
        """Reports stages as run when the block ends, or as failed; every failure says which stage it was.

        Raises:
            StageError: anything went wrong in the block.
        """
        started = time.monotonic()
        try:
            yield
        except Exception as error:
            for stage in stages:
                self._report(stage.name, "failed", time.monotonic() - started)
            if isinstance(error, StageError):
                raise
            first = stages[0]
            if isinstance(error, PolylensError):
                raise StageError(first.name, error.message, path=first.path, hint=error.hint) from error
            raise StageError(
                first.name, f"{type(error).__name__}: {error}", path=first.path, hint=_where_raised(error)
            ) from error
        seconds = (time.monotonic() - started) / max(1, len(stages))
        for stage in stages:
            self._report(stage.name, "ran", seconds)

    def _report(self, name: str, status: str, seconds: float) -> None:
        before = self.reports.get(name)
        if before is None and self._stages is not None:
            self._stages.advance()
        if before is None or before.status != "ran" or status == "failed":
            self.reports[name] = StageReport(name, status, seconds)


def _where_raised(error: BaseException) -> str:
    """Where an error arose that nobody foresaw; in a kind of another package the file and line there."""
    of_module = {module: package for package in packages() for module in package.modules}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = of_module.get(str(frame.f_globals.get("__name__", "")).partition(".")[0])
        if package is not None:
            file, function = shown_path(Path(frame.f_code.co_filename)), frame.f_code.co_name
            return f"raised at {file}:{line} in {function}, of the package {package}; --traceback shows all"
    return "this was not foreseen; --traceback shows where it happened"
