"""Long work in the terminal: bars with rate and time left, or plain lines where output goes to a file."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

from polylens.progress import Progress, Silent, Task

if TYPE_CHECKING:
    import rich.progress

_LINE_SECONDS = 10.0
_SHORT_SECONDS = 1.0
_WIDE = 110
_STATE_WIDTH = 50
UNEVEN = "stages"
"""Stages are unlike each other: of them neither a rate nor a time left can be said."""


@contextmanager
def open_progress(*, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Progress]:
    """Somewhere to show long work, that fits the terminal.

    Args:
        quiet: show nothing.
        stream: where to show it; the error stream if not given, so that output can be piped.
    """
    out = sys.stderr if stream is None else stream
    if quiet:
        yield Silent()
    elif out.isatty():
        with _bars(out) as bars:
            yield Bars(bars)
    else:
        yield ProgressLines(out)


class Bars:
    """Rich bars: done of total, rate with its unit, elapsed time, time left."""

    def __init__(self, bars: rich.progress.Progress) -> None:
        self._bars = bars

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        """One bar; it stays when it is done, unless the work was too short to be worth a line."""
        number = self._bars.add_task(title, total=total, unit=unit)
        started = time.monotonic()
        yield _BarTask(self._bars, number)
        self._bars.stop_task(number)
        if time.monotonic() - started < _SHORT_SECONDS:
            self._bars.remove_task(number)

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False)


class _BarTask:
    def __init__(self, bars: rich.progress.Progress, number: rich.progress.TaskID) -> None:
        self._bars = bars
        self._number = number

    def advance(self, amount: float = 1.0) -> None:
        self._bars.advance(self._number, amount)


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
        self._title = title
        self._total = total
        self._unit = unit
        self._done = 0.0
        self._started = self._said = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """How long the task has taken so far."""
        return time.monotonic() - self._started

    def advance(self, amount: float = 1.0) -> None:
        with self._lock:
            self._done += amount
            now = time.monotonic()
            due = now - self._said >= _LINE_SECONDS
            if due:
                self._said = now
        if due:
            self.say("")

    def say(self, state: str) -> None:
        """One line about how far the task is."""
        seconds = self.seconds
        of = "" if self._total is None else f" of {self._total:,.0f}"
        parts = [f"{self._done:,.0f}{of} {self._unit}"]
        steady = self._unit != UNEVEN
        if self._done and seconds > 0:
            if steady:
                parts.append(rate_in_words(self._done / seconds, self._unit))
            parts.append(f"{_clock(seconds)} elapsed")
        if steady and not state and self._total is not None and self._done:
            parts.append(f"{_clock(seconds * (self._total - self._done) / self._done)} left")
        prefix = f"{self._title} {state}".strip()
        print(f"{prefix}: {', '.join(parts)}", file=self._out, flush=True)


def rate_in_words(rate: float, unit: str) -> str:
    """A rate with its unit.

    >>> rate_in_words(1240.4, "images"), rate_in_words(0.314, "epochs")
    ('1,240 images/s', '0.31 epochs/s')
    """
    return f"{_short_rate(rate)} {unit}/s"


def _short_rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.2g}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _bars(out: TextIO) -> AbstractContextManager[rich.progress.Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn
    from rich.progress import Progress as RichProgress
    from rich.progress import Task as RichTask
    from rich.table import Column
    from rich.text import Text

    console = Console(file=out)
    narrow = console.width < _WIDE
    bar_width = 8 if narrow else 28

    class Title(ProgressColumn):
        """What is done, cut where the terminal is narrow: nothing may break into a second line."""

        def render(self, task: RichTask) -> Text:
            title = Text(task.description)
            title.truncate(max(console.width - bar_width - _STATE_WIDTH - 2, 12), overflow="ellipsis")
            return title

    class State(ProgressColumn):
        """Done of total with the unit, rate, elapsed time, time left."""

        max_refresh = 0.1

        def render(self, task: RichTask) -> Text:
            of = "" if task.total is None else f"/{task.total:,.0f}"
            unit = str(task.fields.get("unit", ""))
            text = Text(f"{task.completed:,.0f}{of} {unit}", style="progress.download")
            seconds = task.elapsed or 0.0
            steady = unit != UNEVEN
            if steady and task.completed and seconds > 0:
                text.append(f"  {_short_rate(task.completed / seconds)}/s", style="progress.data.speed")
            text.append(f"  {_clock(seconds)}", style="progress.elapsed")
            if steady and task.total is not None and 0 < task.completed < task.total:
                left = seconds * (task.total - task.completed) / task.completed
                text.append(f", {_clock(left)} left", style="progress.remaining")
            return text

    return RichProgress(
        Title(table_column=Column(no_wrap=True)),
        BarColumn(bar_width=bar_width, table_column=Column(no_wrap=True)),
        State(table_column=Column(no_wrap=True)),
        console=console,
    )
