"""The report: one self-contained HTML page of what was asked, what came out, and what it stands on.

`polylens.report.page.render` makes the page of a `Report`, `render_overview` that of several runs, and
`render_contrast` that of runs side by side; the module loads the template's libraries.
"""

from polylens.report.contents import ClusterCard, ClusterCards, Report, Score, ScoreTable
from polylens.report.contrast import (
    RULE,
    Contrast,
    ContrastSide,
    EqualTerms,
    Flow,
    Group,
    NumberDifference,
    SpecDifference,
    decided,
)
from polylens.report.overview import Chapter, Overview, Section, Spread, SpreadRow, SpreadTable

__all__ = [
    "RULE",
    "Chapter",
    "ClusterCard",
    "ClusterCards",
    "Contrast",
    "ContrastSide",
    "EqualTerms",
    "Flow",
    "Group",
    "NumberDifference",
    "Overview",
    "Report",
    "Score",
    "ScoreTable",
    "Section",
    "SpecDifference",
    "Spread",
    "SpreadRow",
    "SpreadTable",
    "decided",
]
