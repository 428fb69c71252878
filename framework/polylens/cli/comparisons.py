"""The table of a run's comparisons: the network beside each control on equal terms, and its lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from polylens.cli.columns import Column, Row, block
from polylens.cli.numbers import cell, cells, in_lines, legend, meanings_of, ranges
from polylens.records import Comparison, Number
from polylens.study.results import Result


def table_of_comparisons(
    results: Sequence[Result], *, width: int, ascii_only: bool = False
) -> Iterator[Text]:
    """Each number that is compared on equal terms, control by control; nothing where none is."""
    rows: list[Row] = []
    compared: list[Comparison] = []
    for result in results:
        if not result.comparisons:
            continue
        rows.append(Row(f"{result.source}: {_words(result.name)}", is_heading=True))
        for control, comparison in result.comparisons.items():
            rows.append(Row(f"  {_words(control)}"))
            compared.append(comparison)
    if not compared:
        return
    leads = [comparison.lead or Number(float("nan")) for comparison in compared]
    meanings = meanings_of(leads)
    sizes = [comparison.reach for comparison in compared]
    columns = [
        Column(("at", "coverage"), tuple(_coverage(comparison) for comparison in compared)),
        Column(("network",), cells((comparison.own for comparison in compared), sizes)),
        Column(("control",), cells((comparison.other for comparison in compared), sizes)),
        Column(("lead",), cells((lead.value for lead in leads), sizes)),
        Column(("range",), ranges(leads, meanings, sizes, ascii_only=ascii_only)),
        Column(("chance",), cells((lead.chance for lead in leads), sizes)),
    ]
    yield Text()
    yield Text("The network beside its controls on equal terms", style="bold")
    yield from block(rows, columns, width=width)
    yield from in_lines((*legend(leads, meanings), *_terms(results), *_lacking_draws(results)), width=width)


def _coverage(comparison: Comparison) -> str:
    """The coverage compared at; of several draws the least and the greatest."""
    known = [pair.coverage for pair in comparison.known if pair.coverage is not None]
    ends = dict.fromkeys(cell(end) for end in (min(known), max(known))) if known else {}
    return " to ".join(ends)


def _terms(results: Sequence[Result]) -> Iterator[str]:
    terms = {
        _words(result.name): comparison.terms
        for result in results
        for comparison in result.comparisons.values()
    }
    yield from (f"{name}: {what}" for name, what in terms.items())


def _lacking_draws(results: Sequence[Result]) -> Iterator[str]:
    """Which draws have no pair, and why."""
    lacking = {
        (control, comparison.why or "not defined", comparison.share if len(comparison.pairs) > 1 else "")
        for result in results
        for control, comparison in result.comparisons.items()
        if comparison.share
    }
    for control, why, share in sorted(lacking):
        yield f"{_words(control)}: {why}" + (f" except in {share} draws" if share else "")


def _words(name: str) -> str:
    return name.replace("_", " ")
