"""Long work in the terminal: bars with rate and time left, or plain lines where output goes to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

from polylens.progress import (
    UNEVEN,
    Progress,
    ProgressLines,
    Silent,
    Task,
    clock,
    in_millions,
    short_rate,
    shortened,
)

if TYPE_CHECKING:
    import rich.progress
    from rich.text import Text

_WIDE = 110
_LEAST_TITLE = 12


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
        self._open: list[str] = []

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        """One bar; when it is done only that of all stages stays, or they would pile up."""
        one, shown_unit = in_millions(total, unit)
        number = self._bars.add_task(
            self._below_others(title), total=None if total is None else total / one, unit=shown_unit
        )
        self._open.append(title)
        try:
            yield _BarTask(self._bars, number, one)
        finally:
            self._open.remove(title)
            self._bars.stop_task(number)
            if unit != UNEVEN:
                self._bars.remove_task(number)

    def _below_others(self, title: str) -> str:
        """The title; of work within work of the same part, which stands above, without the part's name."""
        part, colon, rest = title.partition(": ")
        is_within = colon and any(other.startswith(f"{part}: ") for other in self._open)
        return f"  {rest}" if is_within else title

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False)


class _BarTask:
    def __init__(self, bars: rich.progress.Progress, number: rich.progress.TaskID, one: float) -> None:
        self._bars = bars
        self._number = number
        self._one = one

    def advance(self, amount: float = 1.0) -> None:
        self._bars.advance(self._number, amount / self._one)


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
        """What is done. It is cut where the terminal is narrow, and never how far the work is."""

        def render(self, task: RichTask) -> Text:
            # Another thread may take the last task away meanwhile.
            widest = max((len(_state(each, brief=narrow)) for each in bars.tasks), default=0)
            room = console.width - bar_width - widest - 2
            return Text(shortened(task.description, max(room, _LEAST_TITLE)))

    class State(ProgressColumn):
        """How far it is."""

        max_refresh = 0.1

        def render(self, task: RichTask) -> Text:
            return _state(task, brief=narrow)

    bars = RichProgress(
        Title(table_column=Column(no_wrap=True)),
        BarColumn(bar_width=bar_width, table_column=Column(no_wrap=True)),
        State(table_column=Column(no_wrap=True)),
        console=console,
    )
    return bars


def _state(task: rich.progress.Task, *, brief: bool) -> Text:
    """Done of total with the unit, rate, elapsed time, time left; in brief the one time or the other."""
    from rich.text import Text

    of = "" if task.total is None else f"/{task.total:,.0f}"
    unit = str(task.fields.get("unit", ""))
    text = Text(f"{task.completed:,.0f}{of} {unit}", style="progress.download")
    seconds = task.elapsed or 0.0
    steady = unit != UNEVEN
    if steady and task.completed and seconds > 0:
        text.append(f"  {short_rate(task.completed / seconds)}/s", style="progress.data.speed")
    times = [(clock(seconds), "progress.elapsed")]
    if steady and task.total is not None and 0 < task.completed < task.total:
        left = seconds * (task.total - task.completed) / task.completed
        times.append((f"{clock(left)} left", "progress.remaining"))
    for number, (time, style) in enumerate(times[-1:] if brief else times):
        text.append(f"{', ' if number else '  '}{time}", style=style)
    return text
