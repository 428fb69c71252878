"""Results of runs and plans as tables for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from polylens.errors import shown_path
from polylens.records import Draws, Number
from polylens.showing import html_table
from polylens.study.results import answering_results
from polylens.wording import counted

if TYPE_CHECKING:
    from polylens.study.outlook import ChildOutlook
    from polylens.study.results import Result
    from polylens.study.study_results import ChildResult, StudyResult


def child_html(child: ChildResult) -> str:
    """A run's headline numbers, each with its range, its chance level and every control's beside it."""
    results = [result for result in child.results if result.headline and result.is_shown]
    controls = list(dict.fromkeys(name for result in results for name in result.controls))
    columns = ("number", "network", "range", "by chance", *controls)
    rows = [_row(result, controls) for result in results]
    state = "" if child.error is None else f" (failed: {child.error.message})"
    return html_table(f"{child.name}, layer {child.layer}{state}", columns, rows, note=_where(child))


def study_html(result: StudyResult) -> str:
    """A study's runs, with the numbers that answer its question; one run alone is shown as itself."""
    if len(result.children) == 1:
        return child_html(result.children[0])
    chosen = {child.name: answering_results(child.results) for child in result.children}
    names = list(dict.fromkeys(_title(each) for results in chosen.values() for each in results))
    rows = []
    for child in result.children:
        by_name = {_title(each): _value(each.own, each.reach) for each in chosen[child.name]}
        rows.append((child.name, child.status, *(by_name.get(name, "") for name in names)))
    note = "" if result.overview is None else f"all of them on one page: {shown_path(result.overview)}"
    return html_table(
        f"{result.name}: {len(result.children)} runs", ("run", "state", *names), rows, note=note
    )


def outlook_html(children: Iterable[ChildOutlook]) -> str:
    """A plan's stages, run by run."""
    return "".join(
        html_table(
            f"{child.name}: {child.n_rows:,} rows of layer {child.layer}, width {child.width:,}",
            ("stage", "kind", "state", "bytes", "digest"),
            [
                (
                    stage.name,
                    stage.kind,
                    "stored" if stage.stored else "to do",
                    "" if stage.n_bytes is None else f"{stage.n_bytes:,}",
                    stage.digest[:10],
                )
                for stage in child.stages
            ],
        )
        for child in children
    )


def _row(result: Result, controls: Sequence[str]) -> tuple[str, ...]:
    own = result.own
    return (
        _title(result),
        _value(own, result.reach),
        _range(own, result.reach),
        "" if own is None or own.chance is None else counted(own.chance, beside=result.reach),
        *(_mean(result.controls.get(name), result.reach) for name in controls),
    )


def _title(result: Result) -> str:
    return f"{result.source}: {result.name.replace('_', ' ')}"


def _value(number: Number | None, beside: float) -> str:
    return "not defined" if number is None else counted(number.value, beside=beside)


def _range(number: Number | None, beside: float) -> str:
    """The range, and what it is where it is no interval of uncertainty."""
    if number is None or number.low is None or number.high is None:
        return ""
    kind = "" if number.range_is == "interval" else f" ({number.range_is})"
    return f"{counted(number.low, beside=beside)} to {counted(number.high, beside=beside)}{kind}"


def _mean(draws: Draws | None, beside: float) -> str:
    if draws is None:
        return ""
    if draws.mean is None:
        return draws.why or "not defined"
    return counted(draws.mean, beside=beside) + (f" ({draws.share} draws)" if draws.share else "")


def _where(child: ChildResult) -> str:
    return "" if child.report is None else f"report: {shown_path(child.report)}"
