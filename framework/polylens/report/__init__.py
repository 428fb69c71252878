"""The report: one self-contained HTML page of what was asked, what came out, and what it stands on.

`polylens.report.page.render` makes the page of a `Report`, `render_overview` that of several runs; the
module loads the template's libraries.
"""

from polylens.report.contents import (
    ClusterCard,
    ClusterCards,
    ClusteredText,
    MedoidCode,
    Neighbour,
    Piece,
    Report,
    Score,
    ScoreTable,
)
from polylens.report.overview import (
    Chapter,
    Dot,
    Multiple,
    Overview,
    RunLine,
    Section,
    Spread,
    SpreadRow,
    SpreadTable,
)

__all__ = [
    "Chapter",
    "ClusterCard",
    "ClusterCards",
    "ClusteredText",
    "Dot",
    "MedoidCode",
    "Multiple",
    "Neighbour",
    "Overview",
    "Piece",
    "Report",
    "RunLine",
    "Score",
    "ScoreTable",
    "Section",
    "Spread",
    "SpreadRow",
    "SpreadTable",
]
