"""A judge, and all that it was asked in one stage."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.digests import digest
from polylens.judges import Judge, ask, tally
from polylens.records import Answer, Number, Question
from polylens.work import Work

NOT_ANSWERED = "no question was answered"
"""Why there is no score although a judge was asked."""


class Panel:
    """Asks one judge in several goes and counts every different question once."""

    def __init__(self, judge: Judge, work: Work) -> None:
        self._judge = judge
        self._work = work
        self._answers: dict[str, Answer] = {}

    def ask(self, questions: Sequence[Question | None], *, title: str) -> list[Answer | None]:
        """The answers; None where nothing is asked."""
        asked = [each for each in questions if each is not None]
        found = ask(
            self._judge, asked, judging=self._work.judging, progress=self._work.progress, title=title
        ).answers
        self._answers |= {digest(each.to_plain()): answer for each, answer in zip(asked, found, strict=True)}
        answers = iter(found)
        return [None if each is None else next(answers) for each in questions]

    def numbers(self) -> dict[str, Number]:
        """How many questions had which outcome, what was read and written, and what it cost."""
        return tally(list(self._answers.values()), self._judge).numbers()

    def note(self) -> str:
        """What became of the questions, in a sentence."""
        counts = tally(list(self._answers.values()), self._judge).counts
        said = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items())
        return (
            f"{len(self._answers):,} questions to a judge ({self._judge.kind()}): {said}. What was not "
            "answered counts as a guess."
        )
