"""The report: one self-contained HTML page of what was asked, what came out, and what it stands on.

`polylens.report.page.render` makes the page of a `Report`; it loads the template's libraries.
"""

from polylens.report.contents import ClusterCard, ClusterCards, Report, Score, ScoreTable

__all__ = ["ClusterCard", "ClusterCards", "Report", "Score", "ScoreTable"]
