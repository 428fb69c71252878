"""All runs of one spec side by side: a line a run, and each answering number over what was swept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from polylens.analyses import NETWORK, RAW_INPUTS
from polylens.records import Draws, Mark, Number
from polylens.report import Dot, Multiple, RunLine
from polylens.study.drawing import Drawing
from polylens.study.results import Result, answering_results
from polylens.study.study_results import ChildResult

_MARKS = {NETWORK: Mark("#0b5fa5", "o"), RAW_INPUTS: Mark("#3c444c", "X")}
"""What is in every study, as figures show it."""


def run_lines(runs: Sequence[ChildResult]) -> Iterator[RunLine]:
    """A line a run: what was swept, the network's answering numbers, and where its report lies.

    The numbers that the rule compares come first: where there is room for one, it is what was asked.
    """
    shown = (result for each in runs for result in answering_results(each.results))
    names = [*dict.fromkeys(map(_name, sorted(shown, key=lambda result: not result.asked)))]
    for each in runs:
        own = {_name(result): result.own for result in answering_results(each.results)}
        yield RunLine(
            name=each.name,
            swept=_in_words(each.plan.point),
            report=_report_of(each),
            numbers={name: own.get(name) for name in names},
            verdict=each.verdict,
        )


def multiples_of(runs: Sequence[ChildResult]) -> Iterator[Multiple]:
    """Each answering number over the swept value that varies most; of the others each combination its own."""
    axis = _axis(runs)
    if axis is None:
        return
    marks = {**Drawing(runs[0].walk).marks, **_MARKS}
    groups: dict[str, list[ChildResult]] = {}
    for each in runs:
        rest = {key: value for key, value in each.plan.point.items() if key not in (axis, "seed")}
        groups.setdefault(_in_words(rest), []).append(each)
    for others, same in groups.items():
        places = tuple(dict.fromkeys(str(each.plan.point[axis]) for each in same))
        for name in dict.fromkeys(
            _name(result) for each in same for result in answering_results(each.results)
        ):
            title = f"{name}, {others}" if others else name
            dots = _dots(same, name, axis)
            if dots:
                yield Multiple(title, axis, places, dots, marks)


def _axis(runs: Sequence[ChildResult]) -> str | None:
    """What was swept over most values, seeds only where nothing else was; None of a single point."""
    counts = {key: len({str(each.plan.point.get(key)) for each in runs}) for key in runs[0].plan.point}
    swept = [key for key, count in counts.items() if count > 1]
    return max(swept, key=lambda key: (key != "seed", counts[key]), default=None)


def _dots(runs: Sequence[ChildResult], name: str, axis: str) -> Mapping[str, tuple[Dot, ...]]:
    """One number of every variant: a dot a run."""
    dots: dict[str, list[Dot]] = {}
    for each in runs:
        for result in answering_results(each.results):
            if _name(result) != name:
                continue
            for variant, draws in result.by_variant.items():
                number = _number(draws)
                if number is not None:
                    report = _report_of(each) if variant == NETWORK else ""
                    dot = Dot(str(each.plan.point[axis]), number.value, number.low, number.high, report)
                    dots.setdefault(variant, []).append(dot)
    return {variant: tuple(each) for variant, each in dots.items()}


def _number(draws: Draws) -> Number | None:
    """The number with its interval, or the mean of several draws with their least and greatest.

    A stability range is no interval and does not lie around its number, so it is not drawn.
    """
    number = draws.summary()
    if number is None:
        return None if draws.mean is None else Number(draws.mean)
    return Number(number.value) if number.range_is == "stability" else number


def _name(result: Result) -> str:
    return f"{result.source}: {result.name}".replace("_", " ")


def _report_of(child: ChildResult) -> str:
    """The report as seen from the overview: both lie in folders of their digests, in those of their kinds."""
    return "" if child.report is None else "/".join(("..", "..", *child.report.parts[-3:]))


def _in_words(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in point.items())
