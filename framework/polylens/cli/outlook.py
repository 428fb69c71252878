"""The table of `polylens plan`."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from polylens.study.outlook import ChildOutlook, Outlook
from polylens.study.waiting import StageOutlook

_LONG = 60
"""Seconds from which on a walk, or a comparison, is worth a word."""


def show_outlook(outlook: Outlook, *, why: bool, console: Console | None = None) -> None:
    """Prints every child with its stages; `why` says of each missing one what differs."""
    console = console or Console()
    for child in outlook.children:
        _show_child(child, console, why=why)
    stages, missing = outlook.n_stages, outlook.n_missing
    seconds = sum(child.harvest_seconds for child in outlook.children)
    text = f"{stages} stages: {stages - missing} stored, {missing} to do"
    if missing and seconds:
        text += f"; forward passes about {_seconds(seconds)} on this CPU"
    console.print(Text(text))
    walking = sum(stage.walking_seconds or 0.0 for child in outlook.children for stage in child.stages)
    if walking >= _LONG:
        said = (
            f"exact walks may take {_seconds(walking)} on this CPU. This is an estimate: every operation at "
            "each boundary before it, as if a segment crossed a sixth of all units. A later layer, fewer "
            "pairs or a smaller reach take less"
        )
        console.print(Text(said, style="yellow"), soft_wrap=True)
    pairs = sum(stage.pair_seconds or 0.0 for child in outlook.children for stage in child.stages)
    if pairs >= _LONG:
        said = (
            f"comparing all pairs of rows may take {_seconds(pairs)} on this CPU. This is an estimate from a "
            "few rows at random; rows of a trained network often take less. `sample` compares so many rows "
            "and assigns the others, fewer `subsamples` take less, `--devices` shares the work"
        )
        console.print(Text(said, style="yellow"), soft_wrap=True)


def _show_child(child: ChildOutlook, console: Console, *, why: bool) -> None:
    console.print(Text(child.name, style="bold"))
    code = f", code of {child.code_units:,} units" if child.code_units else ""
    size = f"{child.n_rows:,} rows of {child.n_examples:,} examples, width {child.width:,}{code}"
    console.print(Text(f"  layer {child.layer}: {size}"))
    longest = max((len(stage.name) for stage in child.stages), default=0)
    for stage in child.stages:
        about = _about(stage)
        line = Text(f"  {stage.name:<{longest}}  ")
        line.append("stored", style="green") if stage.stored else line.append("to do ", style="yellow")
        console.print(line.append(f"  {about:>14}  {stage.digest[:10]}"))
        if why and stage.why:
            console.print(Text(f"    {stage.why}", style="dim"))
    console.print()


def _about(stage: StageOutlook) -> str:
    """The size of what is stored or harvested, or the time of what is walked or compared."""
    if stage.n_bytes is not None:
        return f"{'' if stage.stored else 'about '}{size_in_units(stage.n_bytes)}"
    seconds = (stage.walking_seconds or 0.0) + (stage.pair_seconds or 0.0)
    return f"maybe {_seconds(seconds)}" if seconds >= _LONG else ""


def size_in_units(n_bytes: int) -> str:
    """Bytes in the largest unit that fits, such as `1.2 MB`."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= least:
            return f"{n_bytes / least:,.1f} {unit}"
    return f"{n_bytes} B"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    for unit, length in (("days", 86_400), ("hours", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:,.0f} s"
