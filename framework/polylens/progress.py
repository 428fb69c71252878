"""What long work says while it runs. The terminal's bars live in `cli`; engines only know this interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, runtime_checkable


class Task(Protocol):
    """One piece of long work that advances by units."""

    def advance(self, amount: float = 1.0) -> None:
        """Says that `amount` more units are done."""


@runtime_checkable
class Progress(Protocol):
    """Somewhere to show long work."""

    def task(self, title: str, *, total: float | None, unit: str) -> AbstractContextManager[Task]:
        """Opens a task of `total` units (None: unknown); use it in a `with` statement."""

    def note(self, text: str) -> None:
        """Shows one line that stays, such as a stage that was found stored or an image that was skipped."""


class Under:
    """Progress of one part of a larger whole: every title says which part."""

    def __init__(self, part: str, progress: Progress) -> None:
        self._part = part
        self._progress = progress

    def task(self, title: str, *, total: float | None, unit: str) -> AbstractContextManager[Task]:
        """Opens a task whose title starts with the part's name."""
        return self._progress.task(f"{self._part}: {title}", total=total, unit=unit)

    def note(self, text: str) -> None:
        """Shows one line that stays."""
        self._progress.note(text)


class Silent:
    """Progress that shows nothing, for Python callers and tests."""

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        """Opens a task that shows nothing."""
        yield _Nothing()

    def note(self, text: str) -> None:
        """Shows nothing."""


class _Nothing:
    def advance(self, amount: float = 1.0) -> None:
        pass
