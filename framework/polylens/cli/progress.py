"""Long work in the terminal: bars with rate and time left, or plain lines where output goes to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

from polylens.progress import UNEVEN, Progress, ProgressLines, Silent, Task, clock, short_rate

if TYPE_CHECKING:
    import rich.progress

_WIDE = 110
_STATE_WIDTH = 50


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
        """One bar; when it is done only that of all stages stays, or they would pile up."""
        number = self._bars.add_task(title, total=total, unit=unit)
        yield _BarTask(self._bars, number)
        self._bars.stop_task(number)
        if unit != UNEVEN:
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
                text.append(f"  {short_rate(task.completed / seconds)}/s", style="progress.data.speed")
            text.append(f"  {clock(seconds)}", style="progress.elapsed")
            if steady and task.total is not None and 0 < task.completed < task.total:
                left = seconds * (task.total - task.completed) / task.completed
                text.append(f", {clock(left)} left", style="progress.remaining")
            return text

    return RichProgress(
        Title(table_column=Column(no_wrap=True)),
        BarColumn(bar_width=bar_width, table_column=Column(no_wrap=True)),
        State(table_column=Column(no_wrap=True)),
        console=console,
    )
