"""Dates as people and spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?")
_DOTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_FIRST_DAY = date(1899, 12, 30)
"""Day 0 of a spreadsheet's serial numbers, which counts a 29 February 1900 that never was."""
_FORM = "write it as 2026-11-30"


class Dates:
    """Reads the dates of one file, of which all together tell whether month or day comes first."""

    def __init__(self, written: Iterable[str]) -> None:
        pairs = [(int(match[1]), int(match[2])) for text in written if (match := _SLASHES.fullmatch(text))]
        self._month_first = any(second > 12 for _, second in pairs)
        self._day_first = any(first > 12 for first, _ in pairs)

    def iso(self, written: str) -> str:
        """The ISO date that a text says; empty where it is empty.

        Raises:
            ValueError: it is none, or its day and month cannot be told apart.

        >>> dates = Dates(["11/30/2026", "2/3/2026"])
        >>> [dates.iso(text) for text in ("2/3/2026", "30.11.2026", "46356", "2026-11-30 00:00:00")]
        ['2026-02-03', '2026-11-30', '2026-11-30', '2026-11-30']
        """
        if not written:
            return ""
        if _SERIAL.fullmatch(written):
            return (_FIRST_DAY + timedelta(days=int(float(written)))).isoformat()
        if match := _ISO.fullmatch(written):
            year, month, day = match.groups()
        elif match := _DOTS.fullmatch(written):
            day, month, year = match.groups()
        elif match := _SLASHES.fullmatch(written):
            first, second, year = match.groups()
            if first != second and self._month_first == self._day_first:
                raise ValueError(f"which of '{written}' is the day cannot be told; {_FORM}")
            month, day = (first, second) if self._month_first else (second, first)
        else:
            raise ValueError(f"'{written}' is no date; {_FORM}")
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            raise ValueError(f"'{written}' is no day of any year; {_FORM}") from None
