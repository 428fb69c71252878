"""Docstrings of the house as reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_REMARK = re.compile(r"(Source|Departs): ")


def in_restructured_text(lines: Sequence[str]) -> list[str]:
    """A docstring's lines, with bars of absolute values and the remarks at its end as they are meant.

    >>> in_restructured_text(["Gives |x|.", "", "Source: a paper,", "    page 3.", "Departs: in `a|b`."])
    ['Gives \\\\|x\\\\|.', '', '**Source**: a paper,', 'page 3.', '', '**Departs**: in `a|b`.']
    """
    return list(_lines(lines))


def _lines(lines: Sequence[str]) -> Iterator[str]:
    in_remark, before = False, ""
    for line in lines:
        if _REMARK.match(line):
            if before:
                yield ""
            in_remark, line = True, _REMARK.sub(r"**\1**: ", line)
        elif not line:
            in_remark = False
        before = line.lstrip() if in_remark else line
        yield _escaped(before)


def _escaped(line: str) -> str:
    pieces = line.split("`")
    return "`".join(piece if at % 2 else piece.replace("|", "\\|") for at, piece in enumerate(pieces))
