"""Tokens in their text, short enough for a card."""

from __future__ import annotations

from dataclasses import dataclass

from polylens.records import TokenContext
from polylens.statistics import visible

_BEFORE, _AFTER = 110, 80
"""Characters of text shown on either side of a token."""
_NEAR = 15
"""Characters that are given up so that a text is not cut inside of a word."""


@dataclass(frozen=True)
class Passage:
    """A token and the text around it, in one line."""

    title: str
    before: str
    token: str
    after: str


def passage(context: TokenContext) -> Passage:
    """What of a text a card shows: white space as single spaces, a token of nothing else made visible."""
    token, before, after = context.token, context.before, context.after
    if token.strip():
        # A token's own white space belongs to the text around it, so that only words are marked.
        before += token[: len(token) - len(token.lstrip())]
        after = token[len(token.rstrip()) :] + after
        token = token.strip()
    return Passage(
        title=context.title,
        before=_end_of(_line(before)),
        token=visible(token) or "∅",
        after=_start_of(_line(after)),
    )


def _line(text: str) -> str:
    """The text with every run of white space as one space."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{words}{' ' if text[-1].isspace() else ''}"


def _end_of(text: str) -> str:
    if len(text) <= _BEFORE:
        return text.lstrip() if text.strip() else text
    cut = text[-_BEFORE:]
    gap = cut.find(" ", 0, _NEAR)
    return f"…{cut[gap + 1 :]}"


def _start_of(text: str) -> str:
    if len(text) <= _AFTER:
        return text.rstrip() if text.strip() else text
    cut = text[:_AFTER]
    gap = cut.rfind(" ", _AFTER - _NEAR)
    return f"{cut if gap < 0 else cut[:gap]}…"
