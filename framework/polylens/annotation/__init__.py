"""Sheets that people fill: clusters on lines, with rows to judge by, and what they say of each."""

from polylens.annotation.contents import (
    FILLED,
    VERDICTS,
    FilledLine,
    FilledSheet,
    Sheet,
    SheetLine,
    plain_record,
)
from polylens.annotation.identity import cluster_id, clusters_digest, item_id
from polylens.annotation.reading import read_sheet
from polylens.annotation.writing import csv_of, json_of

__all__ = [
    "FILLED",
    "VERDICTS",
    "FilledLine",
    "FilledSheet",
    "Sheet",
    "SheetLine",
    "cluster_id",
    "clusters_digest",
    "csv_of",
    "item_id",
    "json_of",
    "plain_record",
    "read_sheet",
]
