from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polylens.text.contexts import around


@given(text=st.text(min_size=1), data=st.data())
def test_what_is_shown_is_one_piece_of_the_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    reach = data.draw(st.integers(0, 10))
    before, token, after = around(text, start, stop, reach=reach)
    assert token == text[start:stop]
    assert text[:start].endswith(before)
    assert text[stop:].startswith(after)
    assert max(len(before), len(after)) <= reach


def test_words_are_not_cut_where_that_leaves_some_text() -> None:
    assert around("The cat sat on the mat.", 8, 11, reach=6) == (" cat ", "sat", " on ")
    assert around("abcdefghijkl", 5, 6, reach=3) == ("cde", "f", "ghi")


def test_the_edges_of_the_text_are_shown_whole() -> None:
    assert around("one two", 0, 3, reach=50) == ("", "one", " two")
    assert around("one two", 4, 7, reach=4) == ("one ", "two", "")


def test_nothing_before_the_networks_own_part_is_shown() -> None:
    assert around("one two three", 8, 13, first=4) == ("two ", "three", "")
