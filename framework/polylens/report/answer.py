"""The answer of a run, sentences for each question, built from its scores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from polylens.records import Comparison, Draws, Number
from polylens.report.contents import Score, ScoreTable
from polylens.wording import short

_PAIRS = (("purity", "coverage"),)
"""Scores that mean little without each other."""
_MOST_DRAWS = 5
"""Draws of a control whose pairs of scores are said one by one; of more it is their mean."""


def answer(tables: Sequence[ScoreTable]) -> tuple[str, ...]:
    """The headline scores beside their controls: `Purity 0.96 at coverage 0.81; random init 0.41 at 0.62.`

    Scores marked as headlines are taken, of the tables that have some; where none is marked, purity at its
    coverage, or each table's first score. Of several tables each sentence says its own. Scores that are
    compared with controls on equal terms get a sentence each, with the network's lead.
    """
    answering = answering_tables(tables)
    sentences: list[str] = []
    for table in answering:
        whose = f"{words(table.title)}: " if len(answering) > 1 else ""
        said = (whose + part for part in _parts(table.rows))
        sentences += [f"{each[:1].upper()}{each[1:]}." for each in said]
    return tuple(sentences)


def answering_tables(tables: Sequence[ScoreTable]) -> tuple[ScoreTable, ...]:
    """Of each table that answers the scores that do, those that mean little without each other first.

    What the claim's rule is about comes before other tables.
    """
    marked = [table for table in tables if any(score.headline for score in table.rows)]
    marked.sort(key=lambda table: not any(score.asked for score in table.rows))
    chosen = [replace(table, rows=tuple(_answering_scores(table))) for table in marked or tables]
    return tuple(table for table in chosen if table.rows)


def headline(tables: Sequence[ScoreTable]) -> str:
    """One short sentence of the first question: the network's number, and its least lead over a control.

    `Purity 0.96 at coverage 0.81; its least lead over a control is +0.20 [0.11, 0.29], over raw inputs.` A
    number that is not compared on equal terms stands beside its controls and chance instead. The first
    question is what the claim's rule compares. Empty where there are no scores.
    """
    table = next(iter(answering_tables(tables)), None)
    if table is None:
        return ""
    by_name = {score.name: score for score in table.rows}
    asked = [score for score in table.rows if score.asked] or list(table.rows)
    pair = next((pair for pair in _PAIRS if by_name.get(pair[0]) in asked and pair[1] in by_name), None)
    score = by_name[pair[0]] if pair else next((s for s in asked if s.comparisons), asked[0])
    alone = _value_in_words if score.comparisons else _alone
    text = _pair_alone(score, by_name[pair[1]]) if pair else alone(score)
    parts = [text, *_least_lead(score)]
    return f"{text[:1].upper()}{'; '.join(parts)[1:]}."


def _least_lead(score: Score) -> Iterator[str]:
    """The network's lead over the control that it leads least, and the controls that have no such number."""
    leads = {name: each.lead for name, each in score.comparisons.items() if each.lead is not None}
    if leads:
        control, lead = min(leads.items(), key=lambda pair: pair[1].value)
        number = f"{with_sign(lead.value, lead.reach)} {range_in_words(lead, whole=False)}".rstrip()
        if len(leads) == 1:
            yield f"its lead over {words(control)} is {number}"
        else:
            yield f"its least lead over a control is {number}, over {words(control)}"
    if lacking := [name for name in score.comparisons if name not in leads]:
        yield f"no lead over {' and '.join(map(words, lacking))} is defined"


def score_in_words(value: float | None, whole: bool, beside: float | None = None) -> str:
    """A score as people write it: counts as whole numbers, others next to the one `beside` them.

    >>> [score_in_words(value, whole=True) for value in (12.0, 5.5, None)], score_in_words(0.961, whole=False)
    (['12', '5.50', '–'], '0.96')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if whole and float(value).is_integer() else short(value, beside=beside)


def range_in_words(number: Number, whole: bool, beside: float | None = None) -> str:
    """What stands behind a number: an interval in brackets, any other range in words; empty where none is.

    Its digits are those that say something next to the number `beside` it, or to the range's larger end.

    >>> range_in_words(Number(0.5, 0.4, 0.6), whole=False)
    '[0.40, 0.60]'
    >>> range_in_words(Number(0.5, 0.6, 0.7, range_is="stability"), whole=False)
    '(stability range 0.60 to 0.70)'
    """
    if number.low is None or number.high is None:
        return ""
    size = beside or number.reach
    low, high = (score_in_words(end, whole, size) for end in (number.low, number.high))
    if number.range_is == "interval":
        return f"[{low}, {high}]"
    return f"({'stability range' if number.range_is == 'stability' else 'draws'} {low} to {high})"


def each_draw(draws: Draws, whole: bool, beside: float | None = None) -> str:
    """The draws of a control behind their mean: each in order, or of many the least and the greatest.

    >>> each_draw(Draws((Number(0.4), None)), whole=False)
    'draws: 0.40, –'
    """
    if len(draws.each) <= _MOST_DRAWS:
        return f"draws: {', '.join(score_in_words(value, whole, beside) for value in draws.values)}"
    least_and_greatest = (min(draws.known), max(draws.known)) if draws.known else ()
    ends = " to ".join(score_in_words(end, whole, beside) for end in least_and_greatest) or "–"
    return f"{draws.share or len(draws.each)} draws: {ends}"


def with_sign(value: float, beside: float | None = None) -> str:
    """A difference with its sign; `beside` as for `short`.

    >>> with_sign(0.25), with_sign(-0.25)
    ('+0.25', '-0.25')
    """
    text = short(value, beside=beside)
    return f"+{text}" if value > 0 and text[0] != "<" and text.strip("0.") else text


def words(name: str) -> str:
    """A name from the spec as words.

    >>> words("random_init")
    'random init'
    """
    return name.replace("_", " ")


def spoken(name: str) -> str:
    """The name of a number as a sentence says it: what it is of stands in brackets.

    >>> spoken("least_lead.digits"), spoken("flipped_share.live.with_biases"), spoken("sampled.r0.005")
    ('least lead (digits)', 'flipped share (live, with biases)', 'sampled (r0.005)')
    """
    first, *of = (words(part) for part in re.split(r"\.(?=[a-z])", name))
    return f"{first} ({', '.join(of)})" if of else first


def _answering_scores(table: ScoreTable) -> list[Score]:
    marked = [score for score in table.rows if score.headline]
    by_name = {score.name: score for score in table.rows}
    paired = [by_name[name] for pair in _PAIRS if all(each in by_name for each in pair) for name in pair]
    if not marked:
        return paired or list(table.rows[:1])
    first = [score for score in paired if score in marked]
    rest = [score for score in marked if score not in first]
    return [*first, *sorted(rest, key=lambda score: not score.asked)]


def _parts(scores: Sequence[Score]) -> Iterator[str]:
    """Pairs first, then what is compared on equal terms, then the rest."""
    left = {score.name: score for score in scores}
    for first, second in _PAIRS:
        if first in left and second in left:
            yield _pair(left[first], left[second])
            if left[first].comparisons:
                yield _comparison(left[first])
            del left[first], left[second]
    for name in [name for name, score in left.items() if score.comparisons]:
        yield _comparison(left.pop(name))
    if left:
        yield "; ".join(_alone(score) for score in left.values())


def _pair(first: Score, second: Score) -> str:
    """Two scores at each other; of a control within each draw, never a mean of one beside that of another."""
    parts = [_pair_alone(first, second)]
    for control, draws in first.controls.items():
        parts.append(f"{words(control)} {_paired_draws(draws, second.controls.get(control))}")
    if first.value is not None and first.value.chance is not None:
        parts.append(f"shuffled labels reach {spoken(first.name)} {short(first.value.chance)}")
    return "; ".join(parts)


def _pair_alone(first: Score, second: Score) -> str:
    """The network's two scores at each other."""
    beside = None if second.value is None else short(second.value.value)
    if first.value is None:
        behind = "" if beside is None else f", {spoken(second.name)} {beside}"
        return f"{spoken(first.name)} not defined{behind}"
    behind = "" if beside is None else f" at {spoken(second.name)} {beside}"
    return f"{spoken(first.name)} {short(first.value.value)}{behind}"


def _value_in_words(score: Score) -> str:
    """The network's score with its range."""
    if score.value is None:
        return f"{spoken(score.name)} not defined"
    behind = range_in_words(score.value, score.whole, score.reach)
    text = f"{spoken(score.name)} {score_in_words(score.value.value, score.whole, score.reach)}"
    return f"{text} {behind}" if behind else text


def _paired_draws(first: Draws, second: Draws | None) -> str:
    beside = (None,) * len(first.each) if second is None else second.values
    pairs = [(one, other) for one, other in zip(first.values, beside, strict=True) if one is not None]
    if len(pairs) > _MOST_DRAWS:
        known = [other for _, other in pairs if other is not None]
        mean = sum(one for one, _ in pairs) / len(pairs)
        at = f" at {short(sum(known) / len(known))}" if len(known) == len(pairs) else ""
        said = [f"{short(mean)}{at}, mean of {len(pairs)} draws"]
    else:
        said = [short(one) + ("" if other is None else f" at {short(other)}") for one, other in pairs]
    lacking = len(first.each) - len(pairs)
    if lacking:
        said.append(_lacking_draws(lacking, len(first.each), first.why))
    return ", ".join(said)


def _comparison(score: Score) -> str:
    """One score beside every control on equal terms, each with the network's lead."""
    parts = []
    for control, comparison in score.comparisons.items():
        lead = comparison.lead
        if lead is None or comparison.own is None or comparison.other is None:
            parts.append(f"{words(control)} {comparison.why or 'not defined'}")
            continue
        size = comparison.reach
        own, other = (short(value, beside=size) for value in (comparison.own, comparison.other))
        ahead = f"{with_sign(lead.value, size)} {range_in_words(lead, False, size)}".rstrip()
        parts.append(f"{own} against {words(control)} {other} (lead {ahead}{_of_draws(comparison)})")
    terms = next((each.terms for each in score.comparisons.values()), "")
    return f"{spoken(score.name)} {terms}: {'; '.join(parts)}"


def _of_draws(comparison: Comparison) -> str:
    if comparison.share:
        return f"; {comparison.share} draws, the others have {comparison.why or 'none'}"
    return f"; mean of {len(comparison.pairs)} draws" if len(comparison.pairs) > 1 else ""


def _alone(score: Score) -> str:
    number, whole = score.value, score.whole
    beside = []
    for control, draws in score.controls.items():
        share = f" in {draws.share} draws" if draws.share and draws.known else ""
        said = score_in_words(draws.mean, whole, score.reach) if draws.known else draws.why or "–"
        beside.append(f"{words(control)} {said}{share}")
    if number is not None and number.chance is not None:
        beside.append(f"chance {score_in_words(number.chance, whole, score.reach)}")
    return _value_in_words(score) + (f" ({', '.join(beside)})" if beside else "")


def _lacking_draws(count: int, total: int, why: str) -> str:
    reason = why or "not defined"
    return reason if total == 1 else f"{reason} in {count} of {total} draws"
