"""Positions whose tokens match a pattern or stand in a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Int64
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from polylens.errors import UsageError
from polylens.sampling import Sampling, TooFewPositionsError


class TokensMatching(Sampling):
    """Takes the valid positions whose token matches.

    A token's text is as the tokenizer has it, its spaces written as spaces (` the`), a piece inside of a word
    with the tokenizer's mark (`##ing`).
    """

    match: str | tuple[str, ...] = Field(examples=["^ ?[A-Z]"])
    """A regular expression found in the token's text, or a list of tokens: `the` stands for itself and for
    ` the`, while ` the` stands for itself alone."""
    reads_texts: ClassVar[bool] = True

    @field_validator("match")
    @classmethod
    def _match_can_be_looked_for(cls, match: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not match or (not isinstance(match, str) and "" in match):
            raise PydanticCustomError("match_empty", "a regular expression or a list of tokens is needed")
        if isinstance(match, str):
            try:
                re.compile(match)
            except re.error as error:
                raise PydanticCustomError(
                    "match_pattern", "no regular expression: {why}", {"why": str(error)}
                ) from None
        return match

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """Every valid position: without their texts, the most that can match.

        Raises:
            UsageError: the positions are those of an image.
            TooFewPositionsError: no position is valid.
        """
        if len(grid) != 1:
            raise UsageError(
                f"tokens_matching needs a layer with positions of text; this one has {len(grid)} axes",
                hint="for images use grid_positions",
            )
        if not len(valid):
            raise TooFewPositionsError("no position is valid")
        return valid

    def choose_by_text(
        self,
        valid: Int64[np.ndarray, "valid"],
        *,
        texts: Sequence[str] | None,
        grid: tuple[int, ...],
        generator: np.random.Generator,
    ) -> Int64[np.ndarray, "chosen"]:
        """The raw positions whose token matches, ascending.

        Raises:
            UsageError: the examples are no text.
            TooFewPositionsError: no token matches.

        >>> rule, generator = TokensMatching(match=("cat",)), np.random.default_rng(0)
        >>> rule.choose_by_text(
        ...     np.array([1, 2]), texts=["The", " cat"], grid=(3,), generator=generator
        ... ).tolist()
        [2]
        """
        if texts is None:
            raise UsageError("tokens_matching needs a dataset of text", hint="for images use grid_positions")
        chosen = valid[[self._matches(text) for text in texts]] if len(valid) else valid
        if not len(chosen):
            raise TooFewPositionsError("no token matches")
        return chosen

    def _matches(self, text: str) -> bool:
        if isinstance(self.match, str):
            return re.search(self.match, text) is not None
        return text in self.match or text.strip() in self.match
