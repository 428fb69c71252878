"""The report: one self-contained HTML page of what was asked, what came out, and what it stands on.

`polylens.report.page.render` makes the page of a `Report`, `render_overview` that of several runs,
`render_contrast` that of runs side by side, and `render_pictures` that of a sheet for people to fill; the
module loads the template's libraries.
"""

from polylens.report.contents import (
    ClusterCard,
    ClusterCards,
    ClusteredText,
    LabelSheet,
    MedoidCode,
    Neighbour,
    PictureLine,
    PictureSheet,
    Piece,
    Report,
    Score,
    ScoreTable,
)
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
    "RULE",
    "Chapter",
    "ClusterCard",
    "ClusterCards",
    "ClusteredText",
    "Contrast",
    "ContrastSide",
    "Dot",
    "EqualTerms",
    "Flow",
    "Group",
    "LabelSheet",
    "MedoidCode",
    "Multiple",
    "Neighbour",
    "NumberDifference",
    "Overview",
    "PictureLine",
    "PictureSheet",
    "Piece",
    "Report",
    "RunLine",
    "Score",
    "ScoreTable",
    "Section",
    "SpecDifference",
    "Spread",
    "SpreadRow",
    "SpreadTable",
    "decided",
]
