"""Rows as judges are shown them: texts as JSON, images as images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polylens.records import Choice, Context, Described, Question, Told

LETTERS = "abcdefghij"
"""Ids of what is chosen among; ours, and no text of data."""
AROUND = 200
"""Letters of text before and after a token, at most."""


def row_as_data(shown: Told) -> dict[str, Any]:
    """What a judge is told of a row: the text around its token, that it is an image, or what that is near."""
    if isinstance(shown, Described):
        return {"image_near_classes": [_text(name) for name in shown.classes]}
    if isinstance(shown, Context):
        return {"image": True}
    around = {"before": shown.before[-AROUND:], "token": shown.token[:AROUND], "after": shown.after[:AROUND]}
    return {place: _text(text) for place, text in around.items()}


def _text(text: str) -> str:
    """Text that can be sent: halves of letters, which some files hold, are question marks."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def question(
    instructions: str,
    rows: Sequence[int],
    *,
    shown: Callable[[int], Told],
    options: tuple[str, ...],
    data: Mapping[str, Any],
    by_id: bool = False,
) -> Question:
    """A question about rows.

    Args:
        instructions: the template.
        rows: numbers of the rows.
        shown: what is shown of a row.
        options: the words that may be answered.
        data: what else the question speaks of, such as a label.
        by_id: whether rows are chosen among: each then has a letter. Else there is one row.
    """
    seen = [shown(row) for row in rows]
    plain = [row_as_data(each) for each in seen]
    told = dict(zip(LETTERS, plain, strict=False)) if by_id else plain[0]
    images = tuple(each.png for each in seen if isinstance(each, Context))
    return Question(instructions, {**data, "rows" if by_id else "row": told}, Choice(options), images)
