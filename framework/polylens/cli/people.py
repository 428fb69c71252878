"""What people have said of clusters, in the terminal: who called how many of them monosemantic."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from polylens.cli.columns import Column, Row, block
from polylens.cli.numbers import cells, in_lines, legend, meanings_of, ranges
from polylens.records import Number
from polylens.study.people.said import People


def show_people(people: People, *, console: Console | None = None) -> None:
    """Prints the tally, the agreement, and the sides of blind sheets.

    Args:
        people: what is shown.
        console: where to print it; the output if not given.
    """
    console = console or Console()
    width, ascii_only = console.width, console.options.ascii_only
    lines = [*in_lines((people.in_words,), width=width)]
    lines += _tally(people, width=width, ascii_only=ascii_only)
    lines += _agreement(people, width=width, ascii_only=ascii_only)
    lines += _blind(people, width=width, ascii_only=ascii_only)
    for line in lines:
        console.print(line, soft_wrap=True)


def _tally(people: People, *, width: int, ascii_only: bool) -> Iterator[Text]:
    tallies = people.tally()
    if not tallies:
        return
    counts = {word: tuple(str(each.counts[word]) for each in tallies) for word in tallies[0].counts}
    columns = [
        Column(("clusters",), tuple(str(each.clusters) for each in tallies)),
        *(Column((word,), cells) for word, cells in counts.items()),
    ]
    heads = [f"  {each.who}" for each in tallies]
    yield from _table(
        "One meaning", heads, columns, [each.one for each in tallies], width=width, ascii_only=ascii_only
    )


def _agreement(people: People, *, width: int, ascii_only: bool) -> Iterator[Text]:
    pairs = people.agreement()
    known = [each for each in pairs if each.kappa is not None]
    if known:
        heads = [f"  {each.first} and {each.second}" for each in known]
        columns = [Column(("clusters",), tuple(str(each.clusters) for each in known))]
        numbers = [each.kappa for each in known if each.kappa is not None]
        yield from _table("Cohen's kappa", heads, columns, numbers, width=width, ascii_only=ascii_only)
    for each in pairs:
        if each.kappa is None:
            yield from in_lines((f"no kappa of {each.first} and {each.second}: {each.why}",), width=width)


def _blind(people: People, *, width: int, ascii_only: bool) -> Iterator[Text]:
    sides = people.blind()
    if not sides:
        return
    columns = [Column(("groups",), tuple(str(each.groups) for each in sides))]
    heads = [f"  {each.side.replace('_', ' ')}" for each in sides]
    shares = [each.one for each in sides]
    yield from _table("One meaning, blind", heads, columns, shares, width=width, ascii_only=ascii_only)
    leads = [(each.side, each.lead) for each in sides if each.lead is not None]
    if leads:
        heads = [f"  over {side.replace('_', ' ')}" for side, _ in leads]
        numbers = [lead for _, lead in leads]
        yield from _table("The network's lead", heads, [], numbers, width=width, ascii_only=ascii_only)


def _table(
    title: str,
    heads: list[str],
    before: list[Column],
    numbers: list[Number],
    *,
    width: int,
    ascii_only: bool,
) -> Iterator[Text]:
    """Numbers with their ranges below a heading."""
    meanings, sizes = meanings_of(numbers), [each.reach for each in numbers]
    columns = [
        *before,
        Column(("share" if "meaning" in title else "",), cells((each.value for each in numbers), sizes)),
        Column(("90 %",), ranges(numbers, meanings, sizes, ascii_only=ascii_only)),
    ]
    yield Text()
    yield Text(title, style="bold")
    yield from block([Row(head) for head in heads], columns, width=width)
    yield from in_lines(legend(numbers, meanings), width=width)
