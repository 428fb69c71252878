"""Every error polylens raises on purpose, as one small tree.

PolylensError
├── SpecError        a spec, registry entry or override is wrong; carries every problem found (exit 2)
├── UsageError       the command line or a Python call was used wrongly (exit 2)
├── DataError        a dataset or a file of weights cannot be read as asked
├── StoreError       a stored result is damaged or was written by another version
├── TrackingError    results could not be logged
├── KindError        a kind does not keep to what its family promises; says which method, file and line
└── StageError       a stage of a run failed; says which, where it was asked for and what to do
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path


class PolylensError(Exception):
    """Base of all errors a user can cause or mend; its text is fit to be shown without a stack trace."""

    exit_code = 1
    place: Place | None = None
    """Where the spec asks for what failed, once that is known."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  {self.hint}"


@dataclass(frozen=True)
class Place:
    """Where a value stands: a file (or `--set`), a line and a column, both counted from 1."""

    file: str
    line: int
    column: int
    text: str = ""
    """The whole source line, for the excerpt with the caret."""
    length: int = 1
    """How many characters the caret underlines."""


@dataclass(frozen=True)
class Problem:
    """One mistake: what is wrong, where, what was probably meant, and what else is allowed."""

    message: str
    place: Place | None = None
    path: str = ""
    """Dotted path of the key in the resolved spec, such as `sampling.count`."""
    suggestion: str | None = None
    """The nearest valid name."""
    notes: tuple[str, ...] = ()
    """Further lines, such as `allowed: after, count, end`."""

    def __str__(self) -> str:
        """The problem with its place, for those who see no excerpt of the file."""
        where = "" if self.place is None else f"{self.place.file}:{self.place.line}:{self.place.column}: "
        meant = "" if self.suggestion is None else f"did you mean '{self.suggestion}'?"
        hints = [] if not meant or meant in self.message else [meant]
        return "\n  ".join([f"{where}{self.message}", *hints, *self.notes])

    def at(self, place: Place) -> Problem:
        """This problem with its place in the file."""
        return replace(self, place=place)


class SpecError(PolylensError):
    """A spec, a registry entry or an override is wrong. Carries every problem that was found."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(PolylensError):
    """The command line or a Python call was used wrongly."""

    exit_code = 2


class DataError(PolylensError):
    """A dataset or a file of weights cannot be read as asked."""


class StoreError(PolylensError):
    """A stored result is damaged, incomplete or was written by another version of the store."""


class TrackingError(PolylensError):
    """Results could not be logged to MLflow."""


class KindError(PolylensError):
    """A kind does not keep to what its family promises. Says which method, in which file and line."""


class UnloggedWarning(UserWarning):
    """A run from Python is done, and MLflow lacks some of it; that is kept in the store and sent later."""


class StageError(PolylensError):
    """A stage of a run failed. Says which stage, where it was asked for, and what to do."""

    def __init__(self, stage: str, message: str, *, path: str = "", hint: str | None = None) -> None:
        super().__init__(f"stage {stage} failed: {message}", hint=hint)
        self.stage = stage
        self.path = path
        """Dotted path in the spec that asked for the stage; the command line shows the line it stands on."""


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name most like `name`, or None where nothing is near.

    >>> nearest("coutn", ["after", "count", "end"])
    'count'
    """
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return close[0] if close else None


def listed(names: Sequence[str], *, most: int = 40) -> str:
    """Names as errors list them: the first ones, and how many there are in all where that is more.

    >>> listed(["a", "b", "c"], most=2)
    'a, b, ... (3 in all)'
    """
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")


def shown_path(path: Path) -> str:
    """A file as errors and listings name it: relative to the working directory where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
