"""One page of several runs: each spec a chapter, runs that differ only in their seeds gathered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from polylens.digests import digest
from polylens.records import Comparison, Draws, Figure, Number
from polylens.report import Chapter, Overview, Section, Spread, SpreadRow, SpreadTable
from polylens.store import file_from_bytes
from polylens.study.cards import GALLERY
from polylens.study.drawing import Drawing
from polylens.study.looks import looks_of_pages
from polylens.study.performing import Performer
from polylens.study.results import Result
from polylens.study.run_lines import multiples_of, run_lines
from polylens.study.stages import Stage
from polylens.study.study_results import ChildResult
from polylens.study.subject import subject_of

_FILE = "overview.html"


def write_overview(
    studies: Mapping[str, Sequence[ChildResult]], *, title: str, failed: Sequence[str] = ()
) -> Path:
    """The page of several finished children in the store, made where it is not there yet.

    Args:
        studies: finished children of each spec, by the chapter's title.
        title: of the page.
        failed: names of children that failed.
    """
    workshop = next(iter(studies.values()))[0].walk.workshop
    performer, stage = Performer(workshop.store, workshop.progress), _stage(studies, title, failed)

    def work(folder: Path) -> None:
        # The page's template and pictures are only loaded to make one.
        from polylens.report.page import render_overview

        page = Overview(title, tuple(_chapters(studies)), tuple(failed))
        file_from_bytes(folder / _FILE, render_overview(page).encode())

    performer.perform(stage, work)
    return performer.read(lambda: performer.open(stage) / _FILE, again=lambda: performer.perform(stage, work))


def _stage(studies: Mapping[str, Sequence[ChildResult]], title: str, failed: Sequence[str]) -> Stage:
    finished = [each for runs in studies.values() for each in runs]
    experiments = [(name, each.plan.experiment) for name, runs in studies.items() for each in runs]
    return Stage(
        kind="overview",
        name="overview",
        identity={
            "title": title,
            "failed": list(failed),
            "chapters": [[name, each.about, each.claim, list(each.refuted_if)] for name, each in experiments],
            "variants": [variant.title for each in finished for variant in each.plan.variants],
            "points": [[each.plan.name, digest(_swept(each))] for each in finished],
            "stages": [stage.digest for each in finished for stage in each.plan.stages()],
            "figures": [stage.digest for each in finished for stage in Drawing(each.walk).figure_stages()],
            # Links lead to them; a page that looks otherwise lies elsewhere.
            "reports": [None if each.report is None else each.report.parent.name for each in finished],
            "looks": looks_of_pages(__name__),
        },
    )


def _chapters(studies: Mapping[str, Sequence[ChildResult]]) -> Iterator[Chapter]:
    for name, runs in studies.items():
        experiment = runs[0].plan.experiment
        sections = _group((_title(each), each) for each in runs)
        yield Chapter(
            title=name,
            about=experiment.about,
            claim=experiment.claim,
            sections=tuple(_section(title, same) for title, same in sections),
            runs=tuple(run_lines(runs)),
            multiples=tuple(multiples_of(runs)),
        )


def _swept(child: ChildResult) -> dict[str, Any]:
    """What was swept besides the seed."""
    return {key: value for key, value in child.plan.point.items() if key != "seed"}


def _title(one: ChildResult) -> str:
    return ", ".join(f"{key} {value}" for key, value in _swept(one).items())


def _section(title: str, runs: Sequence[ChildResult]) -> Section:
    walk = runs[0].walk
    tables = tuple(_tables(runs))
    seeds = [each.plan.seed for each in runs]
    return Section(
        title=title,
        subject=subject_of(walk.plan, walk.rows(walk.own), seeds=seeds),
        tables=tables,
        figures=(*_dots(tables), *_by_interest(Drawing(walk), walk.own.analyses)),
    )


def _by_interest(drawing: Drawing, analyses: Iterable[str]) -> Iterator[Figure]:
    """One figure of each analysis in turn, those that stand on others first; the training's last."""
    # Examples of every cluster are on the page of each run.
    left = [figure for figure in drawing.figures() if not figure.name.endswith(f"-{GALLERY}")]
    queues = [
        [figure for figure in left if figure.name.startswith(f"{name}-")] for name in reversed([*analyses])
    ]
    taken = [figure for turn in zip_longest(*queues) for figure in turn if figure is not None]
    yield from dict.fromkeys([*taken, *left])


def _tables(runs: Sequence[ChildResult]) -> Iterator[SpreadTable]:
    numbers = _group(
        ((result.source, result.name), result) for each in runs for result in each.results if result.is_shown
    )
    rows = [(stage, row) for (stage, name), results in numbers for row in _rows(name, results)]
    for stage, of_stage in _group(rows):
        yield SpreadTable(stage, tuple(of_stage))


def _rows(name: str, results: Sequence[Result]) -> Iterator[SpreadRow]:
    """One number over its runs, and the network's lead over each control where it is compared."""
    variants = dict.fromkeys(variant for result in results for variant in result.by_variant)
    by_variant = {
        variant: _spread([result.by_variant[variant] for result in results if variant in result.by_variant])
        for variant in variants
    }
    chances = [result.own.chance for result in results if result.own is not None]
    known = tuple(chance for chance in chances if chance is not None)
    shown = any(result.headline or result.answers for result in results)
    yield SpreadRow(name, by_variant, Spread(known) if known else None, shown)
    leads: dict[str, list[Comparison]] = {}
    for result in results:
        for control, comparison in result.comparisons.items():
            leads.setdefault(control, []).append(comparison)
    if leads:
        by_control = {control: _lead_spread(runs) for control, runs in leads.items()}
        yield SpreadRow(f"{name}_lead", by_control, None, shown)


def _spread(runs: Sequence[Draws]) -> Spread:
    """One value a run: of a control's draws the mean over those that have the number."""
    values = tuple(draws.mean for draws in runs if draws.mean is not None)
    each = Draws(tuple(number for draws in runs for number in draws.each))
    return Spread(values, share=each.share)


def _lead_spread(runs: Sequence[Comparison]) -> Spread:
    """The network's lead on equal terms, one value a run."""
    values = tuple(comparison.lead.value for comparison in runs if comparison.lead is not None)
    each = Comparison("", tuple(pair for comparison in runs for pair in comparison.pairs), None)
    return Spread(values, share=each.share)


def _dots(tables: Sequence[SpreadTable]) -> Iterator[Figure]:
    """Every headline score, a dot a seed."""
    from polylens.figures import scores

    names = [row.name for table in tables for row in table.rows if row.headline]
    numbers: dict[str, Mapping[str, Sequence[Number]]] = {
        row.name if names.count(row.name) == 1 else f"{table.title}/{row.name}": {
            variant: [Number(value) for value in spread.values] for variant, spread in row.by_variant.items()
        }
        for table in tables
        for row in table.rows
        if row.headline
    }
    if numbers:
        yield Figure(
            name="scores-over-seeds",
            title="Scores over all seeds",
            caption="A dot is one seed, or the mean of those of a control's draws that have the number; the "
            "number is the dots' mean.",
            png=scores(numbers),
            alt="A panel a score, with a row of dots for the network and for each control.",
        )


def _group(items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, list[Any]]]:
    """Values by key, in the order of their first appearance."""
    groups: dict[Any, list[Any]] = {}
    for key, value in items:
        groups.setdefault(key, []).append(value)
    return list(groups.items())
