from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.errors import UsageError
from polylens.sampling import Sampling, TooFewPositionsError
from polylens.sampling.all_positions import AllPositions
from polylens.sampling.every_kth import EveryKth
from polylens.sampling.last_token import LastToken
from polylens.sampling.tokens_matching import TokensMatching

WORDS = ("The", " cat", " sat", "##ing", " Cat", "the", "\n")


def chosen(rule: Sampling, valid: Sequence[int]) -> list[int]:
    found = rule.choose(np.array(valid, dtype=np.int64), grid=(99,), generator=np.random.default_rng(0))
    return [int(position) for position in found]


def matching(match: str | tuple[str, ...], texts: Sequence[str] | None = WORDS) -> list[int]:
    """Positions of the words that match; valid are 10, 11, ..."""
    valid = np.arange(10, 10 + len(texts or ()), dtype=np.int64)
    rule = TokensMatching(match=match)
    found = rule.choose_by_text(valid, texts=texts, grid=(99,), generator=np.random.default_rng(0))
    return [int(position) - 10 for position in found]


def test_the_last_token_is_the_last_valid_one() -> None:
    assert chosen(LastToken(), [1, 2, 7]) == [7]


@given(valid=st.sets(st.integers(0, 98)), k=st.integers(1, 9), after=st.integers(0, 9))
def test_every_kth_takes_equal_steps_of_rank(valid: set[int], k: int, after: int) -> None:
    ordered = sorted(valid)
    if len(ordered) <= after:
        with pytest.raises(TooFewPositionsError):
            chosen(EveryKth(k=k, after=after), ordered)
        return
    found = chosen(EveryKth(k=k, after=after), ordered)
    assert found == [
        position for rank, position in enumerate(ordered) if rank >= after and (rank - after) % k == 0
    ]


@pytest.mark.parametrize("rule", [LastToken(), EveryKth(k=2), TokensMatching(match="a")])
def test_an_example_without_valid_positions_is_skipped(rule: Sampling) -> None:
    with pytest.raises(TooFewPositionsError):
        chosen(rule, [])


def test_a_pattern_is_found_anywhere_in_a_token() -> None:
    assert matching("at$") == [1, 2, 4]
    assert matching("^ ?[A-Z]") == [0, 4]
    assert matching("^##") == [3]
    assert matching(r"\n") == [6]


def test_a_listed_token_stands_for_itself_with_and_without_spaces_around() -> None:
    assert matching(("cat", "the")) == [1, 5]
    assert matching((" Cat",)) == [4]
    assert matching((" the",), texts=("the", " the")) == [1]


def test_an_example_without_a_match_is_skipped() -> None:
    with pytest.raises(TooFewPositionsError, match="no token matches"):
        matching("dog")
    with pytest.raises(TooFewPositionsError, match="no token matches"):
        matching("dog", texts=())


def test_matching_needs_text() -> None:
    with pytest.raises(UsageError, match="needs a dataset of text"):
        matching("a", texts=None)
    with pytest.raises(UsageError, match="has 2 axes"):
        TokensMatching(match="a").choose(np.arange(4), grid=(2, 2), generator=np.random.default_rng(0))


def test_before_texts_are_known_every_valid_position_may_match() -> None:
    assert chosen(TokensMatching(match="a"), [3, 4]) == [3, 4]


@pytest.mark.parametrize("match", ["", (), ("a", ""), "(", "*a"])
def test_what_cannot_match_is_refused_when_the_spec_is_read(match: str | tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expression"):
        TokensMatching(match=match)


def test_rules_that_need_no_texts_do_not_look_at_them() -> None:
    assert not AllPositions.reads_texts
    found = AllPositions().choose_by_text(
        np.array([1, 2]), texts=["a", "b"], grid=(3,), generator=np.random.default_rng(0)
    )
    assert found.tolist() == [1, 2]
