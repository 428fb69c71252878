"""The text around a token, as a person reads it."""

from __future__ import annotations

REACH = 100
"""Characters shown on each side."""


def around(text: str, start: int, stop: int, *, first: int = 0, reach: int = REACH) -> tuple[str, str, str]:
    """What stands before a token, the token, and what stands after it, as the text has them.

    A word that the edge would cut is left out, if some of the text remains.

    Args:
        text: the document.
        start: the token's first character.
        stop: the character after the token.
        first: where the network's part of the document begins; nothing before it is shown.
        reach: characters at most on each side.

    >>> around("The cat sat on the mat.", 8, 11, reach=6)
    (' cat ', 'sat', ' on ')
    """
    left, right = max(first, start - reach), min(len(text), stop + reach)
    before, after = text[left:start], text[stop:right]
    if left > first and not text[left - 1].isspace():
        before = _from_space(before)
    if right < len(text) and not text[right].isspace():
        after = _from_space(after[::-1])[::-1]
    return before, text[start:stop], after


def _from_space(text: str) -> str:
    """The text from its first white space on; all of it where none is near."""
    start = next((start for start, character in enumerate(text) if character.isspace()), 0)
    return text[start:] if start <= len(text) // 2 else text
