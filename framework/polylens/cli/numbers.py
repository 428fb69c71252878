"""The table of a run's numbers: each with its range and its chance level, and beside it every control's."""

from __future__ import annotations

import string
import textwrap
from collections.abc import Iterator, Sequence

from rich.text import Text

from polylens.cli.columns import Column, Row, block
from polylens.records import Number
from polylens.study.results import Result, over_draws
from polylens.study.running import ChildResult

_MOST_CHILDREN = 20
_LONGEST_INLINE = 26
_SHORT = {"adjusted_mutual_information": "adjusted mutual info"}


def table_of_one(child: ChildResult, *, width: int, ascii_only: bool = False) -> Iterator[Text]:
    """The headlines of one run, stage by stage."""
    results = [result for result in child.results if result.headline and result.own is not None]
    stages = [result.stage for result in results]
    rows: list[Row] = []
    for number, result in enumerate(results):
        alone = f"{result.stage}: {_words(result.name)}"
        if stages.count(result.stage) == 1 and len(alone) <= _LONGEST_INLINE:
            rows.append(Row(alone))
            continue
        if number == 0 or stages[number - 1] != result.stage:
            rows.append(Row(result.stage, is_heading=True))
        rows.append(Row(f"  {_words(result.name)}"))
    return _table(rows, results, width=width, ascii_only=ascii_only)


def table_of_several(
    children: Sequence[ChildResult], *, study: str, width: int, is_logged: bool, ascii_only: bool = False
) -> Iterator[Text]:
    """The numbers that answer the question, or where none does the headlines: runs below each other."""
    members: dict[tuple[str, str], list[tuple[str, Result]]] = {}
    for child in children[:_MOST_CHILDREN]:
        point = child.name.removeprefix(study).strip()
        own = [result for result in child.results if result.own is not None]
        for result in [each for each in own if each.answers] or [each for each in own if each.headline]:
            members.setdefault((result.stage, result.name), []).append((point, result))
    rows: list[Row] = []
    for (stage, name), below in members.items():
        rows.append(Row(f"{stage}: {_words(name)}", is_heading=True))
        rows += [Row(f"  {point}") for point, _ in below]
    results = [result for below in members.values() for _, result in below]
    yield from _table(rows, results, width=width, ascii_only=ascii_only)
    if len(children) > _MOST_CHILDREN:
        where = ", in MLflow" if is_logged else ""
        yield Text(f"and {len(children) - _MOST_CHILDREN} more runs{where}", style="dim")


def short(value: float) -> str:
    """A number in two decimals, a count as a whole number.

    >>> short(0.9951), short(13.0), short(-0.001), short(float("nan"))
    ('1.00', '13', '0.00', '-')
    """
    if value != value:
        return "-"
    text = f"{value:,.0f}" if _is_count(value) else f"{value:,.2f}"
    return "0.00" if text == "-0.00" else text


def _table(rows: Sequence[Row], results: Sequence[Result], *, width: int, ascii_only: bool) -> Iterator[Text]:
    owns = [result.own for result in results if result.own is not None]
    meanings = list(dict.fromkeys(own.interval for own in owns if own.interval))
    columns = [
        Column(("network",), tuple(short(own.value) for own in owns)),
        Column(("range",), tuple(_range(own, meanings, ascii_only=ascii_only) for own in owns)),
        Column(("chance",), tuple("" if own.chance is None else short(own.chance) for own in owns)),
    ]
    for variant in dict.fromkeys(variant for result in results for variant in result.controls):
        draws = [result.controls.get(variant) for result in results]
        cells = ("" if drawn is None else short(over_draws(drawn).value) for drawn in draws)
        columns.append(Column(tuple(variant.split("_")), tuple(cells)))
    yield from block(rows, columns, width=width)
    for note in (*_meanings(owns, meanings), *_draws(results, owns)):
        for line in textwrap.wrap(note, width=max(width, 40), subsequent_indent="  "):
            yield Text(line, style="dim")


def _meanings(owns: Sequence[Number], meanings: Sequence[str]) -> Iterator[str]:
    """What the letters behind the ranges mean."""
    for letter, meaning in zip(string.ascii_lowercase, meanings, strict=False):
        outside = any(_is_outside(own) for own in owns if own.interval == meaning)
        yield f"{letter} {meaning}{'; the value itself may lie outside' if outside else ''}"


def _draws(results: Sequence[Result], owns: Sequence[Number]) -> Iterator[str]:
    """What the columns of chance and of controls with several draws are."""
    draws = {
        variant: len(drawn)
        for result in results
        for variant, drawn in result.controls.items()
        if len(drawn) > 1
    }
    notes = [f"{_words(variant)}: mean of {count} draws" for variant, count in draws.items()]
    if any(own.chance is not None for own in owns):
        notes.insert(0, "chance: where nothing is related; the report says how it was found")
    if notes:
        yield "; ".join(notes)


def _range(number: Number, meanings: Sequence[str], *, ascii_only: bool) -> str:
    """The range with the letter of what it is."""
    if number.low is None or number.high is None:
        return ""
    ends = [f"{end:,.0f}" if _is_count(number.value) else short(end) for end in (number.low, number.high)]
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
