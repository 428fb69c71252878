"""A comparison of runs in the terminal: specs, numbers, and where rows went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from polylens.cli.columns import Column, Row, block
from polylens.cli.numbers import cell, cells, in_lines, legend, meanings_of, ranges
from polylens.errors import shown_path
from polylens.records import Number
from polylens.report import RULE, Contrast, EqualTerms, Flow, decided
from polylens.wording import percent

_MOST_KEYS = 12
_MOST_GROUPS = 10
_MOST_TARGETS = 3
_LONGEST_VALUE = 60
_IN_WORDS = {"higher": "higher", "lower": "lower", "open": "may be 0", "no interval": "?", "not defined": ""}
"""What is said of a difference; why a question mark stands there is said below the table."""
_AGREEMENT = ("adjusted_mutual_information", "adjusted_rand", "clustered_by_both")


def show_contrast(
    contrast: Contrast,
    *,
    show_all: bool,
    page: Path | None,
    logged: str | None,
    console: Console | None = None,
) -> None:
    """Prints a comparison.

    Args:
        contrast: what is shown.
        show_all: every number, and not the headlines alone.
        page: where its page was written.
        logged: MLflow's id of the run it was logged to.
        console: where to print it; the output if not given.
    """
    console = console or Console()
    width, ascii_only = console.width, console.options.ascii_only
    lines = [Text(), *_sides(contrast), Text(), *_spec(contrast, width=width, show_all=show_all)]
    lines += [Text(), *_numbers(contrast, width=width, ascii_only=ascii_only, show_all=show_all)]
    if contrast.equal_terms:
        lines += [Text(), *_equal_terms(contrast.equal_terms, width=width, ascii_only=ascii_only)]
    for flow in contrast.flows:
        lines += [Text(), *_flow(flow, width=width, ascii_only=ascii_only)]
    if contrast.refusals:
        lines += [
            Text(),
            Text("Not compared", style="bold"),
            *in_lines(map(_one_line, contrast.refusals), width=width),
        ]
    if page is not None:
        lines += [Text(), Text(f"Page: {shown_path(page)}")]
    if logged is not None:
        lines += [Text(), Text(f"Logged as run {logged}; polylens ui shows it")]
    for line in lines:
        console.print(line, soft_wrap=True)


def _sides(contrast: Contrast) -> Iterator[Text]:
    for side in contrast.sides:
        text = Text(f"{side.letter}  ", style="bold").append(_one_line(side.title), style="not bold")
        yield text.append(f"  {side.run_id[:8]}, {side.started}", style="not bold dim")
        if side.note:
            yield Text(f"   {_one_line(side.note)}", style="dim")


def _spec(contrast: Contrast, *, width: int, show_all: bool) -> Iterator[Text]:
    """Keys that differ, each side's value with where it was written."""
    n_keys = len(contrast.spec)
    if not n_keys:
        yield Text("Specs: no difference", style="bold")
        return
    yield Text(f"Specs: {n_keys} key{'s' * (n_keys > 1)} differ{'s' * (n_keys == 1)}", style="bold")
    for difference in contrast.spec if show_all else contrast.spec[:_MOST_KEYS]:
        yield Text(f"  {_one_line(difference.key)}")
        for side, value, origin in zip(contrast.sides, difference.values, difference.origins, strict=True):
            said = "not there" if value is None else _one_line(value)
            said = said if len(said) <= _LONGEST_VALUE else f"{said[: _LONGEST_VALUE - 3]}..."
            line = Text(f"    {side.letter}  {said}")
            yield line.append(f"  {_one_line(origin)}", style="dim") if origin else line
    if n_keys > _MOST_KEYS and not show_all:
        yield Text(f"  and {n_keys - _MOST_KEYS} more, with --all", style="dim")


def _numbers(contrast: Contrast, *, width: int, ascii_only: bool, show_all: bool) -> Iterator[Text]:
    shown = [line for line in contrast.numbers if show_all or line.headline]
    if not shown:
        yield Text("Numbers: the runs have none to show; --all shows every one", style="bold")
        return
    numbers = [
        number for line in shown for number in (*line.numbers, *line.differences) if number is not None
    ]
    meanings = meanings_of(numbers)
    columns: list[Column] = []
    for index, side in enumerate(contrast.sides):
        values = [line.numbers[index] for line in shown]
        columns += _value_and_range((side.letter,), values, meanings, ascii_only=ascii_only)
    for index, side in enumerate(contrast.sides[1:]):
        values = [line.differences[index] for line in shown]
        heading = (f"{side.letter} less A",)
        columns += _value_and_range(heading, values, meanings, ascii_only=ascii_only, title="90 %")
        columns.append(Column(("",), tuple(_IN_WORDS[decided(value)] for value in values)))
    yield Text("Numbers", style="bold")
    yield from block([Row(f"  {_head(line.name)}") for line in shown], columns, width=width)
    yield from in_lines((*legend(numbers, meanings), RULE, *_many(contrast)), width=width)


def _many(contrast: Contrast) -> Iterator[str]:
    """How many differences leave 0 out, and how many would without any."""
    if any(decided(number) == "no interval" for line in contrast.numbers for number in line.differences):
        yield "?: one of the two has no interval, so nothing is said of the difference"
    if contrast.n_decided:
        yield (
            f"{contrast.n_shown} of all {contrast.n_decided} differences with an interval leave 0 out (--all "
            "lists them); where nothing differs about 1 in 10 would, for each is looked at by itself"
        )


def _head(name: str) -> str:
    """A number's name as summaries write it.

    >>> _head("quality/right_fraction")
    'quality: right fraction'
    """
    return name.replace("/", ": ", 1).replace("_", " ")


def _value_and_range(
    heading: tuple[str, ...],
    values: list[Number | None],
    meanings: list[str],
    *,
    ascii_only: bool,
    title: str = "range",
) -> list[Column]:
    known = [Number(float("nan")) if value is None else value for value in values]
    sizes = [number.reach for number in known]
    return [
        Column(heading, cells((number.value for number in known), sizes)),
        Column((title,), ranges(known, meanings, sizes, ascii_only=ascii_only)),
    ]


def _equal_terms(lines: tuple[EqualTerms, ...], *, width: int, ascii_only: bool) -> Iterator[Text]:
    leads = [line.comparison.lead or Number(float("nan")) for line in lines]
    meanings = meanings_of(leads)
    coverages = [
        [pair.coverage for pair in line.comparison.known if pair.coverage is not None] for line in lines
    ]
    several = len({line.letter for line in lines}) > 1
    sizes = [line.comparison.reach for line in lines]
    columns = [
        Column(("at", "cover"), tuple(cell(min(each, default=None)) for each in coverages)),
        Column(("A",), cells((line.comparison.other for line in lines), sizes)),
        Column(
            ("other" if several else lines[0].letter,), cells((line.comparison.own for line in lines), sizes)
        ),
        Column(("less A",), cells((lead.value for lead in leads), sizes)),
        Column(("range",), ranges(leads, meanings, sizes, ascii_only=ascii_only)),
        Column(("chance",), cells((lead.chance for lead in leads), sizes)),
        Column(("",), tuple(_IN_WORDS[decided(lead)] for lead in leads)),
    ]
    yield Text("On equal terms, paired over the examples that both have", style="bold")
    rows = [Row(f"  {f'{line.letter} ' if several else ''}{_head(line.name)}") for line in lines]
    yield from block(rows, columns, width=width)
    terms = {_head(line.name): line.comparison.terms for line in lines}
    whys = dict.fromkeys(f"{line.letter}: {line.comparison.why}" for line in lines if line.comparison.why)
    notes = (*legend(leads, meanings), *(f"{name}: {what}" for name, what in terms.items()), *whys)
    yield from in_lines(map(_one_line, notes), width=width)


def _flow(flow: Flow, *, width: int, ascii_only: bool) -> Iterator[Text]:
    """How far two clusterings agree, and where the largest clusters of the first went."""
    first, second = flow.analyses
    names = first if first == second else f"{first} of A, {second} of {flow.letter}"
    yield Text(f"Where rows went: {_one_line(names)}, A to {flow.letter}", style="bold")
    left_out = f"; {flow.n_left_out[0]:,} of A and {flow.n_left_out[1]:,} of {flow.letter} are not in both"
    said = f"{flow.n_rows:,} rows that both have, matched {flow.matched}"
    said += left_out if any(flow.n_left_out) else ""
    yield from in_lines((said,), width=width)
    scores = {name: flow.agreement[name] for name in _AGREEMENT if name in flow.agreement}
    shown = list(scores.values())
    meanings, sizes = meanings_of(shown), [number.reach for number in shown]
    columns = [
        Column(("",), cells((number.value for number in shown), sizes)),
        Column(("range",), ranges(shown, meanings, sizes, ascii_only=ascii_only)),
        Column(("chance",), cells((number.chance for number in shown), sizes)),
    ]
    yield from block([Row(f"  {name.replace('_', ' ')}") for name in scores], columns, width=width)
    yield from in_lines(legend(shown, meanings), width=width)
    yield from _largest_flows(flow, width=width)


def _largest_flows(flow: Flow, *, width: int) -> Iterator[Text]:
    order = sorted(range(len(flow.first)), key=lambda index: (flow.first[index].name == "noise", index))
    shown = [index for index in order if flow.first[index].size][:_MOST_GROUPS]
    heads = {index: _one_line(flow.first[index].words)[:28] for index in shown}
    longest = max((len(head) for head in heads.values()), default=0)
    for index in shown:
        size = flow.first[index].size
        parts = [
            f"{_one_line(group.words)[:28]} {percent(count / size)}"
            for group, count in flow.largest(index, most=_MOST_TARGETS)
        ]
        line = f"  A {heads[index]:<{longest}} {size:>6,}  to {flow.letter}  {', '.join(parts)}"
        yield Text(line if len(line) <= width else f"{line[: width - 3]}...")
    left = len([group for group in flow.first if group.size]) - len(shown)
    if left > 0:
        yield Text(f"  and {left} more, on the page (--page FILE)", style="dim")


def _one_line(text: str) -> str:
    """Text of data as one line that a terminal only prints: no escape sequence, no line feed."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
