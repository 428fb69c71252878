"""Tokens as people read them: on one line, with white space that can be seen."""

from __future__ import annotations

from collections.abc import Sequence

_SIGNS = {"\n": "⏎", "\r": "⏎", "\t": "⇥"}
_LONGEST = 40


class Pieces:
    """The tokens of one vocabulary, ready to be read.

    >>> pieces = Pieces([" of", "the", "##ing"])
    >>> [pieces.quote(token) for token in range(3)]
    ['" of"', '"the"', '"…ing"']
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        # Where few tokens begin like this it is a word of its own, as the sign of a comment is.
        continued = sum(text.startswith("##") for text in vocabulary)
        self._continued = continued > 0.01 * len(vocabulary)

    def text(self, token: int) -> str:
        """What the token stands for in a text; an ellipsis where it goes on with a word."""
        if not 0 <= token < len(self._vocabulary):
            return ""
        text = self._vocabulary[token]
        return f"…{text[2:]}" if self._continued and text.startswith("##") and len(text) > 2 else text

    def quote(self, token: int) -> str:
        """The token in quotation marks, its white space visible."""
        text = visible(self.text(token))
        mark = "'" if '"' in text else '"'
        return f"{mark}{text}{mark}"


def visible(text: str) -> str:
    r"""A token's text in one line: breaks as signs, spaces too where there is nothing else.

    >>> visible(" of"), visible("\n    "), visible("\t")
    (' of', '⏎␣×4', '⇥')
    """
    if not text.isspace():
        line = "".join(_SIGNS.get(character, character) for character in text)
        return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    runs: list[list[str]] = []
    for character in text:
        sign = _SIGNS.get(character, "␣")
        if runs and runs[-1][0] == sign:
            runs[-1].append(sign)
        else:
            runs.append([sign])
    return "".join(run[0] if len(run) == 1 else f"{run[0]}×{len(run)}" for run in runs)
