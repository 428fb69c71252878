from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.errors import DataError
from polylens.records import Choice, LabelRecord, Question, Sentence

PLAIN = {"cluster": 3, "text": "dates", "labeler": "anna", "kind": "given"}


def test_a_record_is_read_back_as_it_was_written():
    record = LabelRecord.from_plain(
        {**PLAIN, "meanings": "several", "by": "Anna", "at": "2026-11-29", "scores": {"detection": 0.5}}
    )
    assert LabelRecord.from_plain(json.loads(json.dumps(record.to_plain()))) == record


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"colour": "red"}, "no 'colour'"),
        ({"outcome": "shrugged"}, "no outcome"),
        ({"meanings": "none"}, "no number of meanings"),
        ({"cluster": -1}, "no number of a cluster"),
        ({"cluster": "3"}, "no number of a cluster"),
    ],
)
def test_what_is_no_record_is_refused(wrong, said):
    with pytest.raises(DataError, match=said):
        LabelRecord.from_plain({**PLAIN, **wrong})


@given(st.text())
def test_no_text_of_data_can_leave_its_string(text):
    message = Question("Is it so?", {"label": text, "row": text}, Choice(("yes", "no"))).message
    assert json.loads(message) == {"label": text, "row": text}
    assert "<" not in message
    assert "\n" not in message


def test_only_answers_of_the_asked_form_are_read():
    assert Choice(("a", "b")).read({"answer": "a", "more": 1}) is None
    assert Choice(("a", "b")).read(["a"]) is None
    right = {"label": " Names  of months", "meanings": "one", "why": "all are"}
    assert Sentence(3).read(right) == {**right, "label": "Names of months"}
    assert Sentence(2).read(right) is None
    assert Sentence(3).read({**right, "meanings": "none"}) is None
    assert Sentence(3).read({**right, "label": " "}) is None
