"""The answer of a run, one sentence for each question, built from its scores."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.figures.words import short
from polylens.records import Number
from polylens.report.contents import Score, ScoreTable

_PAIRS = (("purity", "coverage"),)
"""Scores that mean little without each other."""


def answer(tables: Sequence[ScoreTable]) -> tuple[str, ...]:
    """The headline scores beside their controls: `Purity 0.96 at coverage 0.81; random init 0.41 at 0.62.`

    Scores marked as headlines are taken, of the tables that have some; where none is marked, purity at its
    coverage, or each table's first score. Of several tables each sentence says its own.
    """
    marked = [table for table in tables if any(score.headline for score in table.rows)]
    sentences = []
    for table in marked or tables:
        chosen = _chosen(table)
        if chosen:
            part = _pair(chosen) if _paired(chosen) else _list(chosen)
            whose = f"{words(table.title)}: " if len(marked or tables) > 1 else ""
            sentences.append(f"{(whose + part)[:1].upper()}{(whose + part)[1:]}.")
    return tuple(sentences)


def mean(numbers: Sequence[Number]) -> float:
    """The mean of several draws; NaN where there are none."""
    return sum(number.value for number in numbers) / len(numbers) if numbers else float("nan")


def written(value: float, whole: bool) -> str:
    """A score as people write it: counts as whole numbers.

    >>> written(12.0, whole=True), written(5.5, whole=True), written(0.961, whole=False)
    ('12', '5.50', '0.96')
    """
    return f"{value:,.0f}" if whole and float(value).is_integer() else short(value)


def words(name: str) -> str:
    """A name from the spec as words.

    >>> words("random_init")
    'random init'
    """
    return name.replace("_", " ")


def _chosen(table: ScoreTable) -> list[Score]:
    marked = [score for score in table.rows if score.headline]
    by_name = {score.name: score for score in marked or table.rows}
    for pair in _PAIRS:
        if all(name in by_name for name in pair) and len(marked) in (0, len(pair)):
            return [by_name[name] for name in pair]
    return marked or list(table.rows[:1])


def _paired(scores: Sequence[Score]) -> bool:
    return tuple(score.name for score in scores) in _PAIRS


def _pair(scores: Sequence[Score]) -> str:
    first, second = scores
    parts = [
        f"{words(first.name)} {short(first.value.value)} at {words(second.name)} {short(second.value.value)}"
    ]
    for control, draws in first.controls.items():
        if draws:
            beside = second.controls.get(control, ())
            at = f" at {short(mean(beside))}" if beside else ""
            parts.append(f"{words(control)} {short(mean(draws))}{at}")
    if first.value.chance is not None:
        parts.append(f"shuffled labels reach {words(first.name)} {short(first.value.chance)}")
    return "; ".join(parts)


def _list(scores: Sequence[Score]) -> str:
    parts = []
    for score in scores:
        number, whole = score.value, score.whole
        beside = [
            f"{words(control)} {written(mean(draws), whole)}"
            for control, draws in score.controls.items()
            if draws
        ]
        if number.chance is not None:
            beside.append(f"chance {written(number.chance, whole)}")
        text = f"{words(score.name)} {written(number.value, whole)}"
        if number.low is not None and number.high is not None:
            text += f" [{written(number.low, whole)}, {written(number.high, whole)}]"
        parts.append(text + (f" ({', '.join(beside)})" if beside else ""))
    return "; ".join(parts)
