"""The numbers that a spec's `refuted_if` names: whether its parts give them, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import cast

from polylens.analyses import RAW_INPUTS, Analysis
from polylens.errors import Place, Problem, listed, nearest
from polylens.labels import Label
from polylens.models import Model
from polylens.scores import Score
from polylens.spec.checking import Parts
from polylens.spec.ledger import Ledger, Path, at, dotted_path, items_of
from polylens.spec.refutation import Condition, RefutationError, Term, read_conditions

KEY = "refuted_if"
LEAD, CHANCE = "_lead", "chance"
"""Endings: the network's lead over a control on equal terms, and the level by chance."""
MODEL_NUMBERS = {
    "classes": ("accuracy",),
    "next_token": ("next_token_loss", "bigram_lead", "bigram_loss", "unigram_loss"),
}
"""By what a model learns here: the numbers that say how well it does that."""
CODE_NUMBERS = ("explained_variance", "median_unit_explained_variance", "near_boundary_fraction")


def named_number_problems(parts: Parts, *, ledger: Ledger) -> Iterator[Problem]:
    """What is wrong with the lines of `refuted_if`: their grammar, and names that lead to no number."""
    lines = () if parts.heading is None else parts.heading.refuted_if
    checker = _Checker(parts, ledger)
    for path, line in zip(_paths(parts, ledger, len(lines)), lines, strict=True):
        try:
            conditions = read_conditions(line)
        except RefutationError as error:
            place = _within(checker.place(path), line, error.start, error.length)
            yield Problem(str(error), place, dotted_path(path), error.suggestion, (_EXAMPLE,))
            continue
        for condition in conditions:
            for problem, term in checker.condition(condition):
                place = _within(checker.place(path), line, term.start, len(term.text))
                notes = (*problem.notes, _LEFT_OUT)
                yield replace(problem, place=place, path=dotted_path(path), notes=notes)


_LEFT_OUT = "`refuted_if: null` leaves the rule out, and the run without a verdict"
_EXAMPLE = "for example refuted_if: quality/purity <= quality/purity.random_init"


class _Checker:
    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self.parts = parts
        self.ledger = ledger
        self.analyses = cast("Mapping[str, Analysis]", parts.named["analyses"])
        self.labels = cast("Mapping[str, Label]", parts.named["labels"])
        self.scores = cast("Mapping[str, Score]", parts.named["scores"])
        self.controls = tuple(parts.named["controls"])
        written = [parts.tree.get(key) for key in ("analyses", "labels", "scores")]
        self.sources = [name for tree in written if isinstance(tree, dict) for name, _ in items_of(tree)]

    def place(self, path: Path) -> Place | None:
        """Where a line is written."""
        value = at(self.parts.tree, path)
        return None if value is None else self.ledger.place(value)

    def condition(self, condition: Condition) -> Iterator[tuple[Problem, Term]]:
        """What is wrong with the names of one comparison."""
        for term in (condition.left, condition.right):
            if term.constant is None and (problem := self._name(term.text)) is not None:
                yield problem, term

    def _name(self, text: str) -> Problem | None:
        source, _, number = text.partition("/")
        if source in ("model", "code"):
            return self._of_the_network(source, number)
        if source not in self.sources:
            near = nearest(source, self.sources)
            notes = (f"analyses, labels and scores: {', '.join(self.sources)}",)
            meant = None if near is None else f"{near}/{number}"
            return Problem(f"no analysis, label or score is called '{source}'", None, "", meant, notes)
        if source in self.analyses:
            analysis = self.analyses[source]
            return self._number(text, analysis, has_inputs=analysis.on_inputs() is not None)
        label = self.labels.get(source) or self.scores.get(source)
        if label is None:
            return None  # what is wrong with it is said elsewhere
        labelled = self.analyses.get(label.of)
        return self._number(text, label, has_inputs=labelled is None or labelled.on_inputs() is not None)

    def _of_the_network(self, source: str, number: str) -> Problem | None:
        model = self.parts.single.get("model")
        learns = model.learns if isinstance(model, Model) else "classes"
        names = MODEL_NUMBERS[learns] if source == "model" else CODE_NUMBERS
        if source == "code" and "code" not in self.parts.tree:
            return Problem(f"'code/{number}' says how good a proxy the code is, and the spec has no 'code'")
        known = [name + ending for name in names for ending in ("", *(f".{each}" for each in self.controls))]
        if number in known:
            return None
        near = nearest(number, known)
        meant = None if near is None else f"{source}/{near}"
        return Problem(f"there is no number '{source}/{number}'", None, "", meant, (_numbers_note(names),))

    def _number(self, text: str, member: Analysis | Label | Score, *, has_inputs: bool) -> Problem | None:
        """What is wrong with a number of an analysis or a label; None where it may be right."""
        source, _, number = text.partition("/")
        compared = member.compared if isinstance(member, Analysis) else ()
        variants = (*self.controls, *((RAW_INPUTS,) if has_inputs else ()))
        if not member.numbers:
            return None  # a kind that does not say which numbers it gives: known at the end
        given = member.given_numbers if isinstance(member, Score) else member.numbers
        if any(fnmatchcase(number, pattern) for pattern in given):
            return None
        endings = ("", *(f".{each}" for each in (*variants, CHANCE)))
        plain = [name for name in given if "*" not in name]
        known = [
            *(f"{name}{ending}" for name in plain for ending in endings),
            *(f"{name}{LEAD}.{each}" for name in compared for each in variants),
            *(f"{name}{LEAD}.{each}.{CHANCE}" for name in compared for each in variants),
        ]
        if number in known:
            return None
        near = nearest(number, known)
        notes = [_numbers_note(given)]
        if given != member.numbers:
            notes.append("`beside: NAME` of an analysis `directions` adds leads of clusters over directions")
        if LEAD in number:
            whose = f"compares {', '.join(compared)}" if compared else "compares no number"
            notes.append(f"{member.kind()} {whose} with controls on equal terms")
        notes.append(f"controls: {', '.join(variants)}" if variants else "the spec has no controls")
        meant = None if near is None else f"{source}/{near}"
        return Problem(f"{source} ({member.kind()}) has no number '{number}'", None, "", meant, tuple(notes))


def _numbers_note(names: Sequence[str]) -> str:
    return f"numbers: {listed(names)}"


def _paths(parts: Parts, ledger: Ledger, count: int) -> list[Path]:
    """The path of each line: items of a list, or the one text itself."""
    value = at(parts.tree, (KEY,))
    is_list = value is not None and not isinstance(value, int) and ledger.shape(value) == "list"
    return [(KEY, str(number)) for number in range(count)] if is_list else [(KEY,)] * count


def _within(place: Place | None, line: str, start: int, length: int) -> Place | None:
    """The place of a part of a line; of the whole where the file breaks the line up."""
    if place is None:
        return None
    offset = place.text.find(line, place.column - 1)
    if offset < 0:
        return place
    return replace(place, column=offset + start + 1, length=length)
