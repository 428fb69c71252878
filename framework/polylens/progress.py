"""What long work says while it runs. The terminal's bars live in `cli`; engines only know this interface."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO, runtime_checkable

_LINE_SECONDS = 10.0
_SHORT_SECONDS = 1.0
_MOMENT_SECONDS = 0.3
_LONGEST_LINE = 110
_MANY = 10_000_000
UNEVEN = "stages"
"""Stages are unlike each other: of them neither a rate nor a time left can be said."""


@runtime_checkable
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
        yield Unseen()

    def note(self, text: str) -> None:
        """Shows nothing."""


class Unseen:
    """A task that nobody looks at."""

    def advance(self, amount: float = 1.0) -> None:
        """Says nothing."""


class ProgressLines:
    """Plain lines: every ten seconds, and at the end of work that was long enough to be worth one."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        """Lines of one task."""
        task = _LineTask(self._out, title, total, unit)
        yield task
        if task.seconds >= _SHORT_SECONDS:
            task.say("done")

    def note(self, text: str) -> None:
        """One line."""
        print(text, file=self._out, flush=True)


class _LineTask:
    def __init__(self, out: TextIO, title: str, total: float | None, unit: str) -> None:
        self._out = out
        self.title = title
        self._one, self._unit = in_millions(total, unit)
        self._total = None if total is None else total / self._one
        self._done = 0.0
        self._started = self._said = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """How long the task has taken so far."""
        return time.monotonic() - self._started

    def advance(self, amount: float = 1.0) -> None:
        self.count(amount)
        with self._lock:
            now = time.monotonic()
            due = now - self._said >= _LINE_SECONDS
            if due:
                self._said = now
        if due:
            self.say("")

    def count(self, amount: float) -> None:
        """Adds to what is done."""
        with self._lock:
            self._done += amount / self._one

    def say(self, word: str) -> None:
        """One line about how far the task is."""
        prefix = f"{self.title} {word}".strip()
        print(f"{prefix}: {self.state(is_over=bool(word))}", file=self._out, flush=True)

    def state(self, *, is_over: bool = False, brief: bool = False) -> str:
        """How far the task is: done of total, rate, elapsed time, time left; in brief one time of the two."""
        seconds = self.seconds
        of = "" if self._total is None else f" of {self._total:,.0f}"
        parts = [f"{self._done:,.0f}{of} {self._unit}"]
        steady = self._unit != UNEVEN
        left = None
        if steady and not is_over and self._total is not None and self._done:
            left = f"{clock(seconds * (self._total - self._done) / self._done)} left"
        if self._done and seconds > 0:
            rate = self._done / seconds
            if steady:
                parts.append(f"{short_rate(rate)}/s" if brief else rate_in_words(rate, self._unit))
            if left is None or not brief:
                parts.append(f"{clock(seconds)} elapsed")
        return ", ".join([*parts, *([] if left is None else [left])])


class OneLine:
    """One line that is written over as work goes on, as Jupyter and other notebooks show it.

    Of work within work the outermost and the innermost are shown. When all is done the line says how long it
    took, so that a notebook that is stored does not end in half a sentence.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._open: list[_LineTask] = []
        self._shown = ""
        self._written = 0.0
        self._lock = threading.RLock()

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        """One piece of work, on the line while it is the innermost."""
        task = _OneLineTask(self, title, total, unit)
        with self._lock:
            self._open.append(task)
        try:
            yield task
        finally:
            with self._lock:
                self._open.remove(task)
                if not self._open:
                    self._write(f"{title} done: {task.state()}")
                    self._end_line()
                else:
                    self.show()

    def note(self, text: str) -> None:
        """A line that stays, above the one that is written over."""
        with self._lock:
            self._write(text)
            self._end_line()
            if self._open:
                self.show(at_once=True)

    def show(self, *, at_once: bool = False) -> None:
        """Writes how far the work is, unless that was done a moment ago."""
        with self._lock:
            now = time.monotonic()
            if not self._open or (not at_once and now - self._written < _MOMENT_SECONDS):
                return
            self._written = now
            first, last = self._open[0], self._open[-1]
            if first is last:
                self._write(f"{first.title}: {first.state()}")
                return
            outer, state = f"{first.title}: {first.state()}; ", last.state()
            if len(f"{outer}{last.title}: {state}") > _LONGEST_LINE:
                state = last.state(brief=True)
            # What is cut is the name of the work, and never how far it is.
            title = shortened(last.title, _LONGEST_LINE - len(f"{outer}: {state}"))
            self._write(f"{outer}{title}: {state}")

    def _write(self, text: str) -> None:
        line = shortened(text, _LONGEST_LINE)
        # Blanks cover what stood there: not every notebook knows the terminal's way to clear a line.
        self._out.write(f"\r{line:<{len(self._shown)}}")
        self._out.flush()
        self._shown = line

    def _end_line(self) -> None:
        self._out.write("\n")
        self._out.flush()
        self._shown = ""


class _OneLineTask(_LineTask):
    def __init__(self, line: OneLine, title: str, total: float | None, unit: str) -> None:
        super().__init__(line._out, title, total, unit)
        self._line = line

    def advance(self, amount: float = 1.0) -> None:
        self.count(amount)
        self._line.show()


def in_millions(total: float | None, unit: str) -> tuple[float, str]:
    """By how much counts are divided to be read at a glance, and the unit that they have then.

    >>> in_millions(5_040_029_800, "pairs"), in_millions(200, "images")
    ((1000000.0, 'million pairs'), (1.0, 'images'))
    """
    return (1e6, f"million {unit}") if total is not None and total >= _MANY else (1.0, unit)


def rate_in_words(rate: float, unit: str) -> str:
    """A rate with its unit.

    >>> rate_in_words(1240.4, "images"), rate_in_words(0.314, "epochs")
    ('1,240 images/s', '0.31 epochs/s')
    """
    return f"{short_rate(rate)} {unit}/s"


def short_rate(rate: float) -> str:
    """A rate in as few digits as say something.

    >>> short_rate(1240.4), short_rate(0.314)
    ('1,240', '0.31')
    """
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.2g}"


def shortened(text: str, most: int) -> str:
    """The text, cut where it is longer; a few letters stay in any case.

    >>> shortened("spanning trees", 9), shortened("trees", 9)
    ('spanning…', 'trees')
    """
    return text if len(text) <= most else f"{text[: max(most - 1, 3)]}…"


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, and hours where there are any.

    >>> clock(65), clock(3605)
    ('1:05', '1:00:05')
    """
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
