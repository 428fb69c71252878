"""The page: one self-contained HTML text, whose only script is its own and sorts what is on it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from polylens.records import Context, Draws, TokenContext
from polylens.report.answer import (
    answer,
    answering_tables,
    each_draw,
    headline,
    range_in_words,
    score_in_words,
    with_sign,
    words,
)
from polylens.report.contents import ClusterCards, ClusteredText, PictureSheet, Report
from polylens.report.contrast import RULE, Contrast, decided
from polylens.report.multiples import panel_of
from polylens.report.overview import Overview
from polylens.report.passages import passage
from polylens.report.pictures import Pictures
from polylens.report.sheets import lines_of, sheet_of
from polylens.wording import counted, percent, short, small_chance

MOST_BYTES = 8_000_000
"""Characters of all pictures at most; with the text of 600 clusters the page stays below 10 MB."""
MOST_CARDS = 24
"""Clusters shown at once; the others are folded, or come page by page."""
MOST_PICTURES = 6
"""Central or random pictures that a closed card shows."""
MOST_PASSAGES = 4
"""Central or random texts that a closed card shows."""
MOST_SKIPPED = 200
MOST_FIGURES = 4
"""Figures of one section of an overview shown in full; the rest is folded."""
N_COLOURS = 12
"""Colours of clusters in a text; beyond them they repeat, and the numbers tell clusters apart."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc and Cs, but for line feeds and tabs; both are fixed for good."""


def render(report: Report, *, most_bytes: int = MOST_BYTES) -> str:
    """The report as one HTML page: no script but its own, no address to fetch from, all data escaped.

    Pictures for which `most_bytes` have no room are left out, examples first, and counted.
    """
    pictures = Pictures(most_bytes=most_bytes)
    figures = [(figure, pictures.figure(figure.png)) for figure in report.figures]
    sheet = sheet_of(_examples_of(report.clusters), most_bytes=pictures.left)
    # Of a run that failed only some of the numbers are there that an answer compares.
    answering = () if report.failure else report.scores
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            headline=headline(answering),
            answer=answer(answering),
            answering=answering_tables(answering),
            figures=figures,
            left_out=pictures.left_out + sheet.left_out,
            unreadable=pictures.unreadable + sheet.unreadable,
            sheet=sheet,
            code_lines=[
                lines_of([card.code.levels for card in partition.clusters if card.code is not None])
                for partition in report.clusters
            ],
            most_cards=MOST_CARDS,
            most_pictures=MOST_PICTURES,
            most_passages=MOST_PASSAGES,
            most_skipped=MOST_SKIPPED,
        )
    )


def render_overview(overview: Overview, *, most_bytes: int = MOST_BYTES) -> str:
    """Several runs as one HTML page, under the same rules; the last pictures are left out first."""
    template = _environment().get_template("overview.html")
    pictures = Pictures(most_bytes=most_bytes)
    return template.render(overview=overview, pictures=pictures, most_figures=MOST_FIGURES)


def render_contrast(contrast: Contrast, *, most_bytes: int = MOST_BYTES) -> str:
    """Runs side by side as one HTML page, under the same rules."""
    template = _environment().get_template("contrast.html")
    pictures = Pictures(most_bytes=most_bytes)
    return template.render(contrast=contrast, pictures=pictures, decided=decided, rule=RULE)


def render_pictures(pictures: PictureSheet, *, most_bytes: int = MOST_BYTES) -> str:
    """The pictures of a sheet that a person fills as one HTML page, under the same rules."""
    sheet = sheet_of((each.png for line in pictures.lines for each in line.shown), most_bytes=most_bytes)
    return _environment().get_template("pictures.html").render(pictures=pictures, sheet=sheet)


def _examples_of(clusters: Sequence[ClusterCards]) -> Iterator[bytes]:
    """Every picture of an example, those that are central first."""
    for partition in clusters:
        shown = [context for card in partition.clusters for context in card.central]
        shown += [context for card in partition.clusters for context in card.random]
        yield from (each.png for each in (*shown, *partition.noise) if isinstance(each, Context))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (Path(__file__).parent / "page.js").read_text(encoding="utf-8")
    environment.globals.update(
        script=Markup(script),  # of ours, without data
        script_digest=b64encode(sha256(script.encode()).digest()).decode(),
        n_colours=N_COLOURS,
    )
    environment.filters.update(
        decision=_DECISIONS.__getitem__,
        each_draw=each_draw,
        with_commas=_with_commas,
        lacking=_lacking_draws,
        p_value=small_chance,
        legend=_legend,
        panel=panel_of,
        passage=passage,
        paragraphs=_paragraphs,
        sentence=_sentence,
        range_in_words=range_in_words,
        reach=_reach,
        share=percent,
        short=short,
        counted=counted,
        with_sign=with_sign,
        words=words,
        score_in_words=score_in_words,
    )
    environment.tests["read"] = _is_read
    return environment


def _printable(value: Any) -> Any:
    """Text without control characters and lone surrogates, which no page may hold."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _UNPRINTABLE.sub("", value)


def _is_read(partition: ClusterCards) -> bool:
    """Whether the partition's rows are texts, which take more room than pictures."""
    shown = [*partition.noise, *(context for card in partition.clusters for context in card.central)]
    return any(isinstance(context, TokenContext) for context in shown)


_DECISIONS = {"supported": "Supported", "refuted": "Refuted", "undecided": "Undecided"}


def _reach(values: Sequence[float], value: float) -> str:
    """How many of a control's clusters reach a cluster's score, and what the middle one has.

    >>> _reach([0.1, 0.5, 0.9], 0.5), _reach([], 0.5)
    ('2 of 3 clusters reach it (median 0.50)', 'no clusters')
    """
    if not values:
        return "no clusters"
    reaching = sum(each >= value for each in values)
    clusters = "cluster reaches" if len(values) == 1 else "clusters reach"
    return f"{reaching:,} of {len(values):,} {clusters} it (median {short(median(values))})"


def _legend(text: ClusteredText) -> list[tuple[int, int]]:
    """Each cluster of a text with its number of tokens, the most frequent first."""
    numbers = [piece.cluster for piece in text.pieces]
    return sorted(((number, numbers.count(number)) for number in text.clusters), key=lambda pair: -pair[1])


def _sentence(text: str) -> str:
    """The text with a full stop at its end.

    >>> _sentence("It holds"), _sentence("It holds.")
    ('It holds.', 'It holds.')
    """
    return text if text.endswith(".") else f"{text}."


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _lacking_draws(controls: Mapping[str, Draws]) -> str:
    """Why draws of one number's controls lack it; empty where none does."""
    several = [draws for draws in controls.values() if len(draws.each) > 1 and not draws.is_whole]
    return "; ".join(dict.fromkeys(draws.why or "not defined" for draws in several))


def _with_commas(value: int) -> str:
    return f"{value:,}"
