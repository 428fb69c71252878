"""The table of a run's numbers: each with its range and its chance level, and beside it every control's."""

from __future__ import annotations

import math
import string
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from polylens.analyses import NETWORK
from polylens.cli.columns import Column, Row, block
from polylens.records import Draws, Number
from polylens.study.results import Result, answering_results
from polylens.study.study_results import ChildResult
from polylens.wording import counted

_MOST_CHILDREN = 20
_LONGEST_INLINE = 26
_SHORT = {"adjusted_mutual_information": "adjusted mutual info"}


def table_of_one(child: ChildResult, *, width: int, ascii_only: bool = False) -> Iterator[Text]:
    """The headlines of one run, stage by stage."""
    results = [result for result in child.results if result.headline and result.is_shown]
    stages = [result.source for result in results]
    rows: list[Row] = []
    for number, result in enumerate(results):
        alone = f"{result.source}: {_words(result.name)}"
        if stages.count(result.source) == 1 and len(alone) <= _LONGEST_INLINE:
            rows.append(Row(alone))
            continue
        if number == 0 or stages[number - 1] != result.source:
            rows.append(Row(result.source, is_heading=True))
        rows.append(Row(f"  {_words(result.name)}"))
    return _table(rows, results, width=width, ascii_only=ascii_only)


def table_of_several(
    children: Sequence[ChildResult], *, study: str, width: int, is_logged: bool, ascii_only: bool = False
) -> Iterator[Text]:
    """The numbers that answer the question, or where none does the headlines: runs below each other."""
    members: dict[tuple[str, str], list[tuple[str, Result]]] = {}
    for child in children[:_MOST_CHILDREN]:
        point = child.name.removeprefix(study).strip()
        for result in answering_results(child.results):
            members.setdefault((result.source, result.name), []).append((point, result))
    rows: list[Row] = []
    for (stage, name), below in members.items():
        rows.append(Row(f"{stage}: {_words(name)}", is_heading=True))
        rows += [Row(f"  {point}") for point, _ in below]
    results = [result for below in members.values() for _, result in below]
    yield from _table(rows, results, width=width, ascii_only=ascii_only)
    if len(children) > _MOST_CHILDREN:
        where = ", in MLflow" if is_logged else ""
        yield Text(f"and {len(children) - _MOST_CHILDREN} more runs{where}", style="dim")


def cell(value: float | None, *, beside: float = 0.0) -> str:
    """A number as tables of the terminal show it; nothing for None, and a dash that all terminals have.

    Args:
        value: the number.
        beside: the largest number of its line, next to which finer digits say nothing.

    >>> cell(0.9951), cell(13.0), cell(-0.001, beside=0.5), cell(float("nan")), cell(None)
    ('1.00', '13', '0.00', '-', '')
    """
    if value is None:
        return ""
    return counted(value, beside=beside) if math.isfinite(value) else "-"


def cells(values: Iterable[float | None], sizes: Iterable[float]) -> tuple[str, ...]:
    """A column of numbers, each beside the largest of its line."""
    return tuple(cell(value, beside=size) for value, size in zip(values, sizes, strict=True))


def ranges(
    numbers: Iterable[Number], meanings: Sequence[str], sizes: Iterable[float], *, ascii_only: bool
) -> tuple[str, ...]:
    """A column of ranges, each beside the largest number of its line."""
    return tuple(
        _range_of(number, meanings, beside=size, ascii_only=ascii_only)
        for number, size in zip(numbers, sizes, strict=True)
    )


def _table(rows: Sequence[Row], results: Sequence[Result], *, width: int, ascii_only: bool) -> Iterator[Text]:
    # A number that is not defined stands as one without a value: a dash, no range, no chance.
    owns = [result.own or Number(float("nan")) for result in results]
    meanings = meanings_of(owns)
    sizes = [result.reach for result in results]
    columns = [
        Column(("network",), cells((own.value for own in owns), sizes)),
        Column(("range",), ranges(owns, meanings, sizes, ascii_only=ascii_only)),
        Column(("chance",), cells((own.chance for own in owns), sizes)),
    ]
    for variant in dict.fromkeys(variant for result in results for variant in result.controls):
        draws = [result.controls.get(variant) for result in results]
        columns.append(Column(tuple(variant.split("_")), tuple(map(_mean_in_words, draws, sizes))))
    yield from block(rows, columns, width=width)
    yield from in_lines((*legend(owns, meanings), *_draws(results, owns)), width=width)


def meanings_of(numbers: Sequence[Number]) -> list[str]:
    """What the ranges of these numbers are, each once; the first has the letter a."""
    return list(dict.fromkeys(number.interval for number in numbers if number.interval))


def legend(numbers: Sequence[Number], meanings: Sequence[str]) -> Iterator[str]:
    """What the letters behind the ranges mean."""
    for letter, meaning in zip(string.ascii_lowercase, meanings, strict=False):
        of = [number for number in numbers if number.interval == meaning]
        kind = "stability range, no interval of uncertainty: " if of[0].range_is == "stability" else ""
        outside = any(_is_outside(number) for number in of)
        yield f"{letter} {kind}{meaning}{'; the value itself may lie outside' if outside else ''}"


def in_lines(notes: Iterable[str], *, width: int) -> Iterator[Text]:
    """Notes below a table, wrapped to the terminal."""
    for note in notes:
        for line in textwrap.wrap(note, width=max(width, 40), subsequent_indent="  "):
            yield Text(line, style="dim")


def _mean_in_words(draws: Draws | None, beside: float) -> str:
    """A control's number: its mean over draws, and over how many of them where some have none."""
    if draws is None:
        return ""
    mean = cell(float("nan") if draws.mean is None else draws.mean, beside=beside)
    return f"{mean} {len(draws.known)}/{len(draws.each)}" if draws.share and draws.known else mean


def _draws(results: Sequence[Result], owns: Sequence[Number]) -> Iterator[str]:
    """What the columns of chance and of controls with several draws are."""
    draws: dict[str, int] = {}
    lacking: dict[tuple[str, str, str], None] = {}
    for result in results:
        for variant, drawn in result.controls.items():
            if len(drawn.each) > 1:
                draws[variant] = len(drawn.each)
            if not drawn.is_whole and drawn.why:
                share = drawn.share if len(drawn.each) > 1 else ""
                lacking[variant, drawn.why, share] = None
    notes = [f"{_words(variant)}: mean of {count} draws" for variant, count in draws.items()]
    notes += [
        f"{_words(variant)}: {why}" + (f" except in {share} draws" if share else "")
        for variant, why, share in lacking
    ]
    notes += [f"network: {why}" for why in dict.fromkeys(_why_own(result) for result in results) if why]
    if any(own.chance is not None for own in owns):
        notes.insert(0, "chance: where nothing is related; the report says how it was found")
    if notes:
        yield "; ".join(notes)


def _why_own(result: Result) -> str:
    own = result.by_variant.get(NETWORK)
    return "" if own is None or own.is_whole else own.why


def _range_of(number: Number, meanings: Sequence[str], *, ascii_only: bool, beside: float) -> str:
    """The range with the letter of what it is."""
    if number.low is None or number.high is None:
        return ""
    ends = [
        f"{end:,.0f}" if _is_count(number.value) else cell(end, beside=beside)
        for end in (number.low, number.high)
    ]
    between = " to " if ascii_only or any(end.startswith("-") for end in ends) else "–"
    letters = dict(zip(meanings, string.ascii_lowercase, strict=False))
    return f"{between.join(ends)} {letters.get(number.interval, ' ')}"


def _is_outside(number: Number) -> bool:
    if number.low is None or number.high is None:
        return False
    return not number.low <= number.value <= number.high


def _is_count(value: float) -> bool:
    return float(value).is_integer() and abs(value) >= 2


def _words(name: str) -> str:
    return _SHORT.get(name, name.replace("_", " "))
