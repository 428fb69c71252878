"""Asking a judge: what was answered before is read, the rest is asked, and every answer kept as it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylens.digests import digest
from polylens.errors import DataError
from polylens.judges._book import AnswerBook
from polylens.progress import Progress
from polylens.records import OUTCOMES, Answer, Number, Question
from polylens.work import Judging

if TYPE_CHECKING:
    from polylens.judges import Judge

TALLY_NUMBERS = (*OUTCOMES, "judge_tokens", "judge_cost")
"""Names of the numbers that a tally can give."""


@dataclass(frozen=True)
class Tally:
    """What became of all different questions of a stage, none left out."""

    counts: dict[str, int]
    """How many questions had which outcome."""
    tokens_in: int
    tokens_out: int
    cost: float | None
    """In the currency of the prices; None where no price is given."""

    def numbers(self) -> dict[str, Number]:
        """The counts as numbers of a stage."""
        numbers: dict[str, Number] = {
            outcome: Number(float(self.counts[outcome]), unit="questions") for outcome in OUTCOMES
        }
        numbers["judge_tokens"] = Number(float(self.tokens_in + self.tokens_out), unit="tokens")
        if self.cost is not None:
            numbers["judge_cost"] = Number(self.cost)
        return numbers


@dataclass(frozen=True)
class Asked:
    """The answers of one judge."""

    answers: tuple[Answer, ...]
    """One a question, in the order of the questions; equal questions have one answer."""
    tally: Tally


def ask(
    judge: Judge, questions: Sequence[Question], *, judging: Judging, progress: Progress, title: str
) -> Asked:
    """The answers to questions. Equal ones are asked once; one that was answered before is not asked again.

    A question that failed before is asked again: it has no answer yet.

    Args:
        judge: who is asked.
        questions: in any number.
        judging: servers, and where answers are kept.
        progress: where it is shown.
        title: what the work is called there.

    Raises:
        DataError: nobody can answer; answers that came before are kept. Or there are images, and the judge
            takes none.
    """
    if any(question.images for question in questions) and not judge.takes_images():
        raise DataError(
            f"rows are images here, and the judge ({judge.kind()}) is shown none",
            hint="a judge of kind compatible with `images: true` is, where its model reads images; to others "
            "images of a dataset with classes are told by the classes that they are near to",
        )
    keys = [digest(question.to_plain()) for question in questions]
    by_key = dict(zip(keys, questions, strict=True))
    folder = judging.answers if judge.keeps_answers else None
    book = AnswerBook(folder, name=digest(judge.asked_as(root=judging.root)))
    missing = [key for key in by_key if not book.has(key)]
    with progress.task(title, total=len(missing), unit="questions") as task:
        for place, answer in judge.answers([by_key[key] for key in missing], judging) if missing else ():
            book.keep(missing[place], answer)
            task.advance()
    different = {key: book.answer(key) for key in by_key}
    return Asked(tuple(different[key] for key in keys), tally(list(different.values()), judge))


def tally(answers: Sequence[Answer], judge: Judge) -> Tally:
    """What became of different questions.

    Args:
        answers: one of each question.
        judge: who answered.
    """
    found = Counter(answer.outcome for answer in answers)
    tokens_in = sum(answer.tokens_in for answer in answers)
    tokens_out = sum(answer.tokens_out for answer in answers)
    prices = judge.prices()
    cost = None if prices is None else (tokens_in * prices[0] + tokens_out * prices[1]) / 1e6
    return Tally({outcome: found[outcome] for outcome in OUTCOMES}, tokens_in, tokens_out, cost)
