"""Tokens as people read them: without a vocabulary's own signs, with white space that can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

_SIGNS = {"\n": "⏎", "\r": "⏎", "\t": "⇥"}
_LONGEST = 40


class Pieces:
    """The tokens of one vocabulary, ready to be read.

    >>> Pieces(["Ġthe", "ing", "ĊĊ"]).quoted(0)
    '" the"'
    >>> Pieces(["the", "##ing"]).quoted(1)
    '"…ing"'
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        # The signs are letters or words of other vocabularies, so a vocabulary must use them often.
        self._bytes = _share(vocabulary, "Ġ") > 0.05
        self._continued = not self._bytes and _share(vocabulary, "##") > 0.01
        self._spaces = not self._bytes and _share(vocabulary, "▁") > 0.05

    def text(self, token: int) -> str:
        """What the token stands for in a text; an ellipsis where it goes on with a word."""
        if not 0 <= token < len(self._vocabulary):
            return ""
        piece = self._vocabulary[token]
        if self._bytes:
            return _from_bytes(piece)
        if self._continued and piece.startswith("##") and len(piece) > 2:
            return f"…{piece[2:]}"
        return piece.replace("▁", " ") if self._spaces else piece

    def quoted(self, token: int) -> str:
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


def _share(vocabulary: Sequence[str], start: str) -> float:
    return sum(piece.startswith(start) for piece in vocabulary) / max(len(vocabulary), 1)


def _from_bytes(piece: str) -> str:
    values = _byte_values()
    if not all(character in values for character in piece):
        return piece
    return bytes(values[character] for character in piece).decode("utf-8", errors="replace")


@cache
def _byte_values() -> dict[str, int]:
    """The byte behind each character of byte-level vocabularies.

    Source: Radford et al. (2019), `bytes_to_unicode` of GPT-2's encoder: printable bytes stand for
        themselves, the others for the characters from 256 on.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + index): byte for index, byte in enumerate(others)
    }
