"""The YAML parser's complaints, said so that they can be acted on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from polylens.errors import Place, Problem

_INDENTED_BY_TAB = re.compile(r" *\t")
_TAB = "a tab cannot be used here; indent with spaces"


def syntax_problem(
    error: yaml.MarkedYAMLError, *, lines: Sequence[str], place: Callable[[int, int], Place]
) -> tuple[Problem, ...]:
    """What stopped the parser, as problems (several where it is the tabs of several lines)."""
    mark: Any = error.problem_mark or error.context_mark
    complaint = error.problem or "cannot be read"
    context = error.context or ""
    if "'\\t'" in complaint:
        tabbed = [n for n, line in enumerate(lines) if n > mark.line and _INDENTED_BY_TAB.match(line)]
        return tuple(
            Problem(_TAB, place(n, c)) for n, c in [(mark.line, mark.column), *((n, 0) for n in tabbed)]
        )
    opened: Any = error.context_mark
    if "quoted scalar" in context and opened is not None:
        return (Problem("a quote is opened here and never closed", place(opened.line, opened.column)),)
    if "simple key" in context and opened is not None:
        return (Problem("this line needs a ':' and a value", place(opened.line, opened.column)),)
    here = place(mark.line, mark.column)
    if "flow" in context and opened is not None:
        bracket = lines[opened.line][opened.column : opened.column + 1]
        note = f"the '{bracket}' of line {opened.line + 1}, column {opened.column + 1} is still open"
        return (Problem("a ',' or a closing bracket is missing before this", here, notes=(note,)),)
    if "<block end>" in complaint and lines[mark.line][: mark.column].rstrip().endswith(("'", '"')):
        return (Problem("nothing may follow a closing quote; quote the whole text, or nothing of it", here),)
    return (Problem(_plain_words(complaint), here),)


def _plain_words(complaint: str) -> str:
    if "mapping values are not allowed" in complaint:
        return "a ':' cannot stand here; quote a text that contains ': ', or mend the indentation"
    if "<block end>" in complaint:
        return "this does not fit the lines above; is the indentation right?"
    if "<block mapping start>" in complaint or "block sequence" in complaint:
        return "this line is indented otherwise than its neighbours"
    if match := re.match(r"found character '(.+)' that cannot start any token", complaint):
        return f"a text that starts with {match[1]} must be quoted"
    return f"not readable as YAML: {complaint}"
