"""Columns of short texts that stay inside the terminal: what does not fit goes into a second block below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

GAP = 2


@dataclass(frozen=True)
class Column:
    """One column: its title, whose words may stand below each other, and a text for each row."""

    title: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """Characters of the widest text."""
        return max((len(text) for text in (*self.title, *self.cells)), default=0)

    @property
    def is_empty(self) -> bool:
        """Whether no row has anything here."""
        return not any(self.cells)


@dataclass(frozen=True)
class Row:
    """The head of one row; without cells it is a heading over the rows that follow."""

    head: str
    is_heading: bool = False


def block(rows: Sequence[Row], columns: Sequence[Column], *, width: int) -> Iterator[Text]:
    """Rows with right-aligned columns, under bold titles.

    Args:
        rows: heads of rows, and headings between them.
        columns: each with one cell for each row that is no heading.
        width: the terminal's width; columns that do not fit are shown in a further block.
    """
    head_width = max((len(row.head) for row in rows if not row.is_heading), default=0)
    filled = [column for column in columns if not column.is_empty]
    while filled:
        fitting = _n_fitting(filled, room=width - head_width)
        yield from _lines(rows, filled[:fitting], head_width=head_width)
        filled = filled[fitting:]


def in_columns(cells: Sequence[str], *, width: int, most_lines: int, title: str = "") -> Iterator[Text]:
    """Cells of one width in as many columns as fit, read downwards; what is left over is counted.

    Args:
        cells: texts of one length.
        width: the terminal's width.
        most_lines: how many lines they may take.
        title: stands over each column.
    """
    if not cells:
        return
    across = max((width + GAP) // (len(cells[0]) + GAP), 1)
    lines = min(-(-len(cells) // across), most_lines)
    across = min(across, -(-len(cells) // lines))
    between = " " * GAP
    if title:
        yield Text(between.join([title] * across).rstrip(), style="dim")
    for line in range(lines):
        shown = (cells[line + lines * column : line + lines * column + 1] for column in range(across))
        yield Text(between.join(cell for row in shown for cell in row).rstrip())
    if len(cells) > lines * across:
        yield Text(f"and {len(cells) - lines * across} more, in the report", style="dim")


def _n_fitting(columns: Sequence[Column], *, room: int) -> int:
    """How many columns fit; at least one."""
    for number, column in enumerate(columns):
        room -= column.width + GAP
        if room < 0:
            return max(number, 1)
    return len(columns)


def _lines(rows: Sequence[Row], columns: Sequence[Column], *, head_width: int) -> Iterator[Text]:
    for depth in range(max(len(column.title) for column in columns), 0, -1):
        titles = [column.title[-depth] if depth <= len(column.title) else "" for column in columns]
        yield Text(_line("", titles, columns, head_width=head_width), style="bold")
    heading: Row | None = None
    cells = zip(*(column.cells for column in columns), strict=True)
    for row in rows:
        if row.is_heading:
            heading = row
            continue
        texts = next(cells)
        if not any(texts):
            continue  # of a further block, whose columns say nothing about this row
        if heading is not None:
            yield Text(heading.head, style="bold")
            heading = None
        yield Text(_line(row.head, texts, columns, head_width=head_width))


def _line(head: str, texts: Sequence[str], columns: Sequence[Column], *, head_width: int) -> str:
    aligned = (f"{text:>{column.width + GAP}}" for text, column in zip(texts, columns, strict=True))
    return f"{head:<{head_width}}{''.join(aligned)}".rstrip()
