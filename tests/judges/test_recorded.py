from __future__ import annotations

import pytest
from tests.judge_server import judge_server
from tests.judges.test_compatible import asked, judging, questions

from polylens.errors import DataError
from polylens.judges import ask
from polylens.judges.compatible import Compatible
from polylens.judges.recorded import Recorded
from polylens.progress import Silent
from polylens.work import Judging


@pytest.fixture
def recorded(tmp_path):
    """The kept answers of a server that is gone, and what they were."""
    with judge_server(malformed=0.3) as server:
        found = asked(Compatible(model="m"), questions(20), judging(server, tmp_path / "answers"))
    (file,) = (tmp_path / "answers").glob("*.jsonl")
    file.rename(tmp_path / "judge.jsonl")
    return tmp_path, found


def test_kept_answers_are_a_file_that_answers_the_same(recorded):
    folder, before = recorded
    how = Judging(answers=folder / "more", root=folder)
    found = ask(Recorded(file="judge.jsonl"), questions(20), judging=how, progress=Silent(), title="again")
    assert found == before
    assert not (folder / "more").exists()


def test_a_question_without_an_answer_stops_the_run(recorded):
    folder, _ = recorded
    with pytest.raises(DataError, match="no answer to 5 of 25 questions"):
        ask(
            Recorded(file="judge.jsonl"),
            questions(25),
            judging=Judging(root=folder),
            progress=Silent(),
            title="",
        )


def test_what_the_file_holds_is_part_of_what_the_judge_is(recorded):
    folder, _ = recorded
    judge = Recorded(file="judge.jsonl")
    before = judge.asked_as(root=folder)
    with (folder / "judge.jsonl").open("a") as stream:
        stream.write("\n")
    assert judge.asked_as(root=folder) != before
    with pytest.raises(DataError, match="no file of answers"):
        Recorded(file="other.jsonl").contents_digest(root=folder)
