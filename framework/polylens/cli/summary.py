"""The readable end of `polylens run`: the numbers beside their controls, the labels, and where to look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from polylens.records import Labels, Number
from polylens.study.results import Result, over_draws
from polylens.study.running import ChildResult, StudyResult

_MOST_LABELS = 15


def show_result(result: StudyResult, console: Console | None = None) -> None:
    """Prints one study: every child's numbers, its labels, and how to look at the rest."""
    console = console or Console(soft_wrap=False)
    for child in result.children:
        _show_child(child, console, several=len(result.children) > 1)
    done = [child for child in result.children if child.report is not None]
    if done:
        _show_where(done, result, console)


def _show_child(child: ChildResult, console: Console, *, several: bool) -> None:
    console.print()
    if several or child.error is not None:
        console.print(Text(child.name, style="bold"))
    if child.error is not None:
        return
    console.print(_stages(child))
    headline = [item for item in child.results if item.headline and item.own is not None]
    console.print(_numbers(headline))
    for name, labels in child.labels.items():
        console.print(_labels(name, labels))


def _stages(child: ChildResult) -> Text:
    ran = [stage for stage in child.stages if stage.status == "ran"]
    stored = len(child.stages) - len(ran)
    text = Text(f"{len(child.stages)} stages: ")
    if not ran:
        return text.append(f"all {stored} stored, nothing computed")
    seconds = sum(stage.seconds for stage in ran)
    return text.append(f"{len(ran)} ran in {seconds:.1f} s, {stored} stored")


def _numbers(results: Sequence[Result]) -> Table:
    """One row a number: the network, chance, then each control."""
    variants = list(dict.fromkeys(variant for result in results for variant in result.controls))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for title in ("network", "interval", "chance", *variants):
        # Words of a control's name below each other: the columns then fit eighty characters.
        table.add_column(title.replace("_", "\n"), justify="right", no_wrap=True)
    stage = ""
    for result in results:
        if result.stage != stage:
            stage = result.stage
            table.add_row(Text(stage, style="bold"))
        own = result.own
        if own is None:
            continue
        controls = result.controls
        table.add_row(
            Text(f"  {result.name.replace('_', ' ')}"),
            _value(own),
            _interval(own),
            "" if own.chance is None else _short(own.chance),
            *(_value(over_draws(controls[variant])) if variant in controls else "" for variant in variants),
        )
    return table


def _labels(name: str, labels: Labels) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for title, side in (
        (f"{name}: cluster", "right"),
        ("label", "left"),
        ("rows", "right"),
        ("held-out share", "right"),
        ("lift", "right"),
        ("lift by chance", "right"),
    ):
        table.add_column(title, justify="left" if side == "left" else "right")
    for entry in labels.clusters[:_MOST_LABELS]:
        table.add_row(
            str(entry.cluster),
            Text(entry.text),
            f"{entry.size:,}",
            _short(entry.share),
            _short(entry.lift),
            _short(entry.chance_lift),
        )
    if len(labels.clusters) > _MOST_LABELS:
        table.add_row("", Text(f"and {len(labels.clusters) - _MOST_LABELS} more, in the report"))
    return table


def _show_where(done: Sequence[ChildResult], result: StudyResult, console: Console) -> None:
    console.print()
    for child in done:
        if child.report is not None:
            console.print(Text(f"Report: {_shown(child.report)}"), soft_wrap=True)
    if result.settings.tracking_is_server:
        console.print(Text(f"Logged to {result.settings.tracking_shown}"), soft_wrap=True)
    else:
        console.print(Text("All runs, tables and figures: polylens ui"))


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _value(number: Number) -> str:
    return _short(number.value)


def _interval(number: Number) -> str:
    if number.low is None or number.high is None:
        return ""
    return f"{_short(number.low)} to {_short(number.high)}"


def _short(value: float) -> str:
    if value != value:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 2 else f"{value:,.2f}"
