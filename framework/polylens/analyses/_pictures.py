"""What pictures of several kinds share: tables of first draws, and numbers beside their controls."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from polylens.analyses import Outcomes, by_variant
from polylens.figures import scores
from polylens.records import Figure


def first_tables(outcomes: Outcomes, name: str) -> dict[str, pd.DataFrame]:
    """One table of the first draw of every variant that has a draw."""
    return {variant: draws[0].findings.tables[name] for variant, draws in outcomes.items() if draws}


def number_panels(
    outcomes: Outcomes,
    shown: Mapping[str, str],
    *,
    title: str,
    caption: str,
    name: str = "scores",
    alt: str = "One panel a number; the network's dot beside those of the controls.",
) -> Figure:
    """A figure with a panel for each number, the network beside its controls.

    Args:
        outcomes: by variant.
        shown: by the words over a panel, the name of its number.
        title: of the figure, which is also its heading.
        caption: what the numbers are, and the subject.
        name: of the figure.
        alt: words for those who cannot see it.
    """
    panels = {words: by_variant(outcomes, number) for words, number in shown.items()}
    return Figure(name=name, title=title, caption=caption, png=scores(panels, title=title), alt=alt)
