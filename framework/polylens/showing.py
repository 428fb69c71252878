"""How results show themselves in a notebook: tables in HTML, with every text from data escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, note: str = "") -> str:
    """A table with a title above it and a note below, as Jupyter shows it in its own style.

    Args:
        title: one line.
        columns: titles of the columns.
        rows: texts, one for each column.
        note: a sentence below the table.

    >>> html_table("<b>", ["n"], [["1 & 2"]])[:30]
    "<div style='margin-bottom:1em'"
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    below = f"<div>{escape(note)}</div>" if note else ""
    return f"<div style='margin-bottom:1em'><strong>{escape(title)}</strong>{table}{below}</div>"
