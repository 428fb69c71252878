"""What would refute a claim, as a spec writes it: comparisons of named numbers, read without being run.

line       = comparison { "and" comparison }
comparison = name ( "<" | "<=" | ">" | ">=" ) ( name | number ) [ "exactly" ]
name       = source "/" number, such as `quality/purity.random_init`
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from polylens.records.verdicts import OR

Operator = Literal["<=", "<", ">=", ">"]
_TOKEN = re.compile(r"[<>=!≤≥]+|[^\s<>=!≤≥]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*/\S+")
_MEANT = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}


@dataclass(frozen=True)
class Term:
    """One side of a comparison."""

    text: str
    """The name of a number, or a number, as written."""
    start: int
    """Where it stands in its line, counted from 0."""
    constant: float | None = None
    """The number, where it is no name."""


@dataclass(frozen=True)
class Condition:
    """One comparison; where it holds, it speaks against the claim."""

    left: Term
    operator: Operator
    right: Term
    exactly: bool = False
    """Whether the values alone decide, without intervals: said of numbers that have no sampling error."""

    def __str__(self) -> str:
        text = f"{self.left.text} {self.operator} {self.right.text}"
        return f"{text} exactly" if self.exactly else text


class RefutationError(ValueError):
    """A line that is no comparison; says where in the line, and what was probably meant."""

    def __init__(self, message: str, *, start: int, length: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.start = start
        self.length = length
        self.suggestion = suggestion


def read_conditions(line: str) -> tuple[Condition, ...]:
    """The comparisons of one line; all must hold for the line to refute the claim.

    >>> [str(each) for each in read_conditions("quality/purity<=0.5 and size/units > 0 exactly")]
    ['quality/purity <= 0.5', 'size/units > 0 exactly']

    Raises:
        RefutationError: the line is no comparison of a named number.
    """
    return tuple(_Reader(line).conditions())


def rule_in_words(lines: Sequence[str]) -> str:
    """All lines as one sentence part: any of them refutes.

    >>> rule_in_words(["a/b <= 1", "a/c <= a/b"])
    'a/b <= 1, or a/c <= a/b'
    """
    return OR.join(" and ".join(map(str, read_conditions(line))) for line in lines)


class _Reader:
    """Reads a line's tokens from left to right."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.tokens = [(match[0], match.start()) for match in _TOKEN.finditer(line)]

    def conditions(self) -> Iterator[Condition]:
        """Each comparison, up to the line's end."""
        while True:
            yield self._condition()
            if not self.tokens:
                return
            text, start = self.tokens.pop(0)
            if text != "and":
                hint = "comparisons are joined by 'and'; a list of lines means that any of them refutes"
                raise RefutationError(f"'{text}' is too much here: {hint}", start=start, length=len(text))

    def _condition(self) -> Condition:
        left = self._name()
        operator = self._operator()
        right = self._side()
        if left.text == right.text:
            message = f"'{left.text}' is compared with itself"
            raise RefutationError(message, start=right.start, length=len(right.text))
        exactly = bool(self.tokens) and self.tokens[0][0] == "exactly"
        if exactly:
            self.tokens.pop(0)
        return Condition(left, operator, right, exactly)

    def _name(self) -> Term:
        text, start = self._next("the name of a number, such as quality/purity")
        if not _NAME.fullmatch(text):
            message = f"'{text}' is no name of a number: a comparison begins with one, such as quality/purity"
            raise RefutationError(message, start=start, length=len(text))
        return Term(text, start)

    def _operator(self) -> Operator:
        text, start = self._next("<=, <, >= or >")
        if text not in get_args(Operator):
            message = f"'{text}' compares nothing; <=, <, >= and > do"
            raise RefutationError(message, start=start, length=len(text), suggestion=_MEANT.get(text))
        return cast(Operator, text)

    def _side(self) -> Term:
        text, start = self._next("a number or the name of one")
        if _NAME.fullmatch(text):
            return Term(text, start)
        try:
            constant = float(text)
        except ValueError:
            constant = math.nan
        if not math.isfinite(constant):
            message = f"'{text}' is neither a number nor the name of one, such as quality/purity"
            raise RefutationError(message, start=start, length=len(text))
        return Term(text, start, constant)

    def _next(self, wanted: str) -> tuple[str, int]:
        if self.tokens:
            return self.tokens.pop(0)
        end = len(self.line.rstrip())
        raise RefutationError(f"the line ends where {wanted} is needed", start=max(end - 1, 0), length=1)
