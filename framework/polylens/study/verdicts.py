"""What the numbers of a run say of its claim: refuted, supported or undecided, by the spec's `refuted_if`.

A comparison holds where the whole ranges of its two sides satisfy it, fails where they contradict it, and is
open otherwise. Any line that holds refutes the claim; all lines must fail to support it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from polylens.analyses import NETWORK
from polylens.errors import nearest
from polylens.records import Comparison, Decision, Draws, Number, Verdict
from polylens.spec.refutation import Condition, Operator, Term, read_conditions, rule_in_words
from polylens.study.results import Result
from polylens.wording import largest, short

_Outcome = Literal["holds", "fails", "open"]
_COMPARE: dict[Operator, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
_NO_CHANCE = "it has no level by chance"


@dataclass(frozen=True)
class _Range:
    """Where a number lies, and how it is said."""

    low: float
    high: float
    said: str


@dataclass(frozen=True)
class _Finding:
    """What became of one comparison."""

    outcome: _Outcome
    about: str
    """The number that was compared; what several comparisons say of one number is said together."""
    why: str


def verdict_of(lines: Sequence[str], results: Sequence[Result]) -> Verdict | None:
    """What the numbers say of a claim; None where no line says what would refute it.

    Args:
        lines: the spec's `refuted_if`.
        results: the child's numbers.
    """
    if not lines:
        return None
    judge = _Judge(results)
    findings = [_joined([judge.finding(condition) for condition in read_conditions(line)]) for line in lines]
    outcomes = [finding.outcome for finding in findings]
    decision: Decision
    if "holds" in outcomes:
        decision, deciding = "refuted", "holds"
    elif "open" in outcomes:
        decision, deciding = "undecided", "open"
    else:
        decision, deciding = "supported", "fails"
    why = _in_words([finding for finding in findings if finding.outcome == deciding])
    return Verdict(decision, rule_in_words(lines), why)


def _joined(findings: Sequence[_Finding]) -> _Finding:
    """Comparisons joined by `and`: all must hold, and one that fails is enough to fail."""
    outcomes = [each.outcome for each in findings]
    outcome: _Outcome = "fails" if "fails" in outcomes else "open" if "open" in outcomes else "holds"
    deciding = [each for each in findings if each.outcome == outcome]
    abouts = {each.about for each in deciding}
    if len(abouts) == 1:
        return _Finding(outcome, abouts.pop(), _listed([each.why for each in deciding]))
    return _Finding(outcome, "", _in_words(deciding))


def _in_words(findings: Sequence[_Finding]) -> str:
    """What was found, number by number."""
    by_number: dict[str, dict[str, None]] = {}
    for finding in findings:
        by_number.setdefault(finding.about, {})[finding.why] = None
    alone = by_number.pop("", {})
    return "; ".join([*(f"{about} {_listed(list(whys))}" for about, whys in by_number.items()), *alone])


def _listed(whys: Sequence[str]) -> str:
    """What is said of one number, with a relation that all have in common said once."""
    for relation in ("lies above ", "lies below ", "is not told apart from "):
        if all(why.startswith(relation) for why in whys):
            return relation + " and ".join(why.removeprefix(relation) for why in whys)
    return " and ".join(whys)


class _Judge:
    """Judges comparisons by the numbers of one child."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.numbers: dict[str, Draws] = {}
        """By name: one number, or of a control that of each draw."""
        self.pairs: dict[tuple[str, str], Comparison] = {}
        """Comparisons on equal terms, by the names of the network's number and of the control's."""
        for result in results:
            self._note(result)

    def finding(self, condition: Condition) -> _Finding:
        """What becomes of one comparison."""
        paired = self.pairs.get((condition.left.text, condition.right.text))
        if paired is not None and not condition.exactly:
            return self._paired(condition, paired)
        left, right = self._range(condition.left, condition), self._range(condition.right, condition)
        if isinstance(left, str) or isinstance(right, str):
            return _Finding("open", "", " and ".join(side for side in (left, right) if isinstance(side, str)))
        outcome = _outcome(condition.operator, left, [right])
        # A control's number is told from the network's by the control's name alone.
        beside = right.said.removeprefix(f"{condition.left.text}.")
        return _Finding(outcome, left.said, f"{_relation(left, right)} {beside}")

    def _note(self, result: Result) -> None:
        name = f"{result.source}/{result.name}"
        for variant, draws in result.by_variant.items():
            full = name if variant == NETWORK else f"{name}.{variant}"
            self.numbers[full] = draws
            self.numbers[f"{full}.chance"] = Draws(tuple(map(_chance, draws.each)), why=_NO_CHANCE)
        for control, comparison in result.comparisons.items():
            self.pairs[name, f"{name}.{control}"] = comparison
            lead = None if comparison.share else comparison.lead
            full, why = f"{name}_lead.{control}", _lacking_pairs(comparison)
            self.numbers[full] = Draws((lead,), why=why)
            self.numbers[f"{full}.chance"] = Draws((_chance(lead),), why=why if lead is None else _NO_CHANCE)

    def _range(self, term: Term, condition: Condition) -> _Range | str:
        """Where one side lies, or why it decides nothing."""
        if term.constant is not None:
            return _Range(term.constant, term.constant, term.text)
        draws = self.numbers.get(term.text)
        if draws is None:
            meant = nearest(term.text, list(self.numbers))
            return f"no number is called {term.text}" + (f" (the nearest is {meant})" if meant else "")
        if not draws.is_whole:
            share = f" in {len(draws.each) - len(draws.known)} of {len(draws.each)} draws"
            where = share if len(draws.each) > 1 else ""
            return f"{term.text} is not defined{where}{f' ({draws.why})' if draws.why else ''}"
        numbers = [number for number in draws.each if number is not None]
        if condition.exactly:
            return _of_draws(term.text, [(number.value, number.value) for number in numbers], draws)
        ranges = [_interval(number) for number in numbers]
        bare = [number for number, ends in zip(numbers, ranges, strict=True) if ends is None]
        if bare and len(numbers) == 1:
            return f"{term.text} {short(bare[0].value)} has {_what_it_lacks(bare[0])}"
        ends = [(n.value, n.value) if e is None else e for n, e in zip(numbers, ranges, strict=True)]
        return _of_draws(term.text, ends, draws)

    def _paired(self, condition: Condition, comparison: Comparison) -> _Finding:
        """A number beside a control's on equal terms: by its lead, which must differ from 0 and chance."""
        lead, left = comparison.lead, condition.left.text
        control = condition.right.text.removeprefix(f"{left}.")
        about = f"{left}, on equal terms,"
        if lead is None or comparison.share:
            return _Finding("open", about, f"cannot be compared with {control}: {_lacking_pairs(comparison)}")
        said = f"leads {control} by {short(lead.value, beside=lead.reach)}"
        ends = _interval(lead)
        if ends is None:
            return _Finding("open", about, f"{said}, which has {_what_it_lacks(lead)}")
        whole = _Range(*ends, f"{said} [{', '.join(short(end, beside=lead.reach) for end in ends)}]")
        levels = [_Range(0.0, 0.0, "0")]
        if lead.chance is not None:
            levels.append(
                _Range(lead.chance, lead.chance, f"chance ({short(lead.chance, beside=lead.reach)})")
            )
        relations: dict[str, list[str]] = {}
        for level in levels:
            relations.setdefault(_relation(whole, level).removeprefix("lies "), []).append(level.said)
        behind = ", ".join(f"{relation} {' and '.join(each)}" for relation, each in relations.items())
        draws = "" if len(comparison.pairs) > 1 else ", of one draw"
        outcome = _outcome(condition.operator, whole, levels)
        return _Finding(outcome, about, f"{whole.said}{draws}, {behind}")


def _outcome(sign: Operator, left: _Range, rights: Sequence[_Range]) -> _Outcome:
    compare = _COMPARE[sign]
    corners = [
        compare(mine, yours)
        for right in rights
        for mine in (left.low, left.high)
        for yours in (right.low, right.high)
    ]
    return "holds" if all(corners) else "open" if any(corners) else "fails"


def _relation(left: _Range, right: _Range) -> str:
    """How the two ranges lie, in words."""
    if left.low == left.high == right.low == right.high:
        return "is as much as"
    if left.high < right.low:
        return "lies below"
    if left.low > right.high:
        return "lies above"
    if left.high == right.low:
        return "lies at or below"
    if left.low == right.high:
        return "lies at or above"
    return "is not told apart from"


def _chance(number: Number | None) -> Number | None:
    """A number's level by chance, which has no range."""
    if number is None or number.chance is None:
        return None
    return Number(number.chance, number.chance, number.chance)


def _interval(number: Number) -> tuple[float, float] | None:
    """The ends of an interval, the value itself among them; None where the range is none."""
    if number.low is None or number.high is None or number.range_is != "interval":
        return None
    ends = (min(number.low, number.value), max(number.high, number.value))
    return None if any(math.isnan(end) for end in ends) else ends


def _of_draws(name: str, ends: Sequence[tuple[float, float]], draws: Draws) -> _Range:
    """From the least to the greatest end over all draws."""
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    size = largest((low, high))
    value = short(draws.mean if draws.mean is not None else math.nan, beside=size)
    between = "" if low == high else f" [{short(low, beside=size)}, {short(high, beside=size)}]"
    of = f" in {len(ends)} draws" if len(ends) > 1 else ""
    return _Range(low, high, f"{name} {value}{between}{of}")


def _what_it_lacks(number: Number) -> str:
    if number.range_is == "stability" and number.low is not None:
        return "a stability range and no interval, so it decides nothing in one run"
    return "no interval, so it decides nothing in one run"


def _lacking_pairs(comparison: Comparison) -> str:
    why = comparison.why or "not defined"
    return f"{why}, except in {comparison.share} draws" if comparison.share and comparison.known else why
