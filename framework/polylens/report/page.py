"""The page: one self-contained HTML text without any script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from polylens.figures.words import percent, short
from polylens.records import Draws, TokenContext
from polylens.report.answer import answer, each_draw, range_in_words, score_in_words, words
from polylens.report.contents import ClusterCards, Report
from polylens.report.contrast import RULE, Contrast, decided
from polylens.report.overview import Overview
from polylens.report.passages import passage
from polylens.report.pictures import Pictures

MOST_BYTES = 18_000_000
"""Characters of all pictures at most; MLflow shows pages of up to 50 MB, phones do better below 20."""
MOST_CARDS = 24
"""Clusters shown in full; the rest is folded."""
MOST_PASSAGES = 4
"""Texts of one kind shown in full on a card; the rest is folded."""
MOST_SKIPPED = 200
MOST_FIGURES = 4
"""Figures of one section of an overview shown in full; the rest is folded."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc and Cs, but for line feeds and tabs; both are fixed for good."""


def render(report: Report, *, most_bytes: int = MOST_BYTES) -> str:
    """The report as one HTML page: no script, no address to fetch from, all data escaped.

    Pictures for which `most_bytes` have no room are left out, examples first, and counted.
    """
    pictures = Pictures(most_bytes=most_bytes)
    figures = [(figure, pictures.figure(figure.png)) for figure in report.figures]
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            # Of a run that failed only some of the numbers are there that an answer compares.
            answer=() if report.failure else answer(report.scores),
            figures=figures,
            pictures=pictures,
            most_cards=MOST_CARDS,
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
    environment.filters.update(
        each_draw=each_draw,
        with_commas=_with_commas,
        lacking=_lacking_draws,
        p_value=_p_value,
        passage=passage,
        paragraphs=_paragraphs,
        range_in_words=range_in_words,
        share=percent,
        short=short,
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


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _p_value(value: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _lacking_draws(controls: Mapping[str, Draws]) -> str:
    """Why draws of one number's controls lack it; empty where none does."""
    several = [draws for draws in controls.values() if len(draws.each) > 1 and not draws.is_whole]
    return "; ".join(dict.fromkeys(draws.why or "not defined" for draws in several))


def _with_commas(value: int) -> str:
    return f"{value:,}"
