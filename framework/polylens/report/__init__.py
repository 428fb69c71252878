"""The report: one self-contained HTML page of what was asked, what came out, and what it stands on."""

from polylens.report.contents import ClusterCard, ClusterCards, Report, Score, ScoreTable
from polylens.report.page import render

__all__ = ["ClusterCard", "ClusterCards", "Report", "Score", "ScoreTable", "render"]
