"""The answer of a run, sentences for each question, built from its scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from polylens.figures.words import short
from polylens.records import Comparison, Draws, Number
from polylens.report.contents import Score, ScoreTable

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
    marked = [table for table in tables if any(score.headline for score in table.rows)]
    sentences: list[str] = []
    for table in marked or tables:
        whose = f"{words(table.title)}: " if len(marked or tables) > 1 else ""
        said = (whose + part for part in _parts(_answering_scores(table)))
        sentences += [f"{each[:1].upper()}{each[1:]}." for each in said]
    return tuple(sentences)


def score_in_words(value: float | None, whole: bool) -> str:
    """A score as people write it: counts as whole numbers.

    >>> [score_in_words(value, whole=True) for value in (12.0, 5.5, None)], score_in_words(0.961, whole=False)
    (['12', '5.50', '–'], '0.96')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if whole and float(value).is_integer() else short(value)


def range_in_words(number: Number, whole: bool) -> str:
    """What stands behind a number: an interval in brackets, any other range in words; empty where none is.

    >>> range_in_words(Number(0.5, 0.4, 0.6), whole=False)
    '[0.40, 0.60]'
    >>> range_in_words(Number(0.5, 0.6, 0.7, range_is="stability"), whole=False)
    '(stability range 0.60 to 0.70)'
    """
    if number.low is None or number.high is None:
        return ""
    low, high = score_in_words(number.low, whole), score_in_words(number.high, whole)
    if number.range_is == "interval":
        return f"[{low}, {high}]"
    return f"({'stability range' if number.range_is == 'stability' else 'draws'} {low} to {high})"


def each_draw(draws: Draws, whole: bool) -> str:
    """The draws of a control behind their mean: each in order, or of many the least and the greatest.

    >>> each_draw(Draws((Number(0.4), None)), whole=False)
    'draws: 0.40, –'
    """
    if len(draws.each) <= _MOST_DRAWS:
        return f"draws: {', '.join(score_in_words(value, whole) for value in draws.values)}"
    ends = (
        f"{score_in_words(min(draws.known), whole)} to {score_in_words(max(draws.known), whole)}"
        if draws.known
        else "–"
    )
    return f"{draws.share or len(draws.each)} draws: {ends}"


def words(name: str) -> str:
    """A name from the spec as words.

    >>> words("random_init")
    'random init'
    """
    return name.replace("_", " ")


def _answering_scores(table: ScoreTable) -> list[Score]:
    marked = [score for score in table.rows if score.headline]
    by_name = {score.name: score for score in table.rows}
    if not marked:
        paired = [pair for pair in _PAIRS if all(name in by_name for name in pair)]
        return [by_name[name] for pair in paired[:1] for name in pair] or list(table.rows[:1])
    return marked


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
    at = f"at {words(second.name)}"
    if first.value is None:
        parts = [f"{words(first.name)} not defined"]
        if second.value is not None:
            parts[0] += f", {words(second.name)} {short(second.value.value)}"
    else:
        other = "" if second.value is None else f" {at} {short(second.value.value)}"
        parts = [f"{words(first.name)} {short(first.value.value)}{other}"]
    for control, draws in first.controls.items():
        parts.append(f"{words(control)} {_paired_draws(draws, second.controls.get(control))}")
    if first.value is not None and first.value.chance is not None:
        parts.append(f"shuffled labels reach {words(first.name)} {short(first.value.chance)}")
    return "; ".join(parts)


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
        numbers = f"{short(comparison.own)} against {words(control)} {short(comparison.other)}"
        parts.append(
            f"{numbers} (lead {_with_sign(lead.value)} {range_in_words(lead, False)}{_of_draws(comparison)})"
        )
    terms = next((each.terms for each in score.comparisons.values()), "")
    return f"{words(score.name)} {terms}: {'; '.join(parts)}"


def _of_draws(comparison: Comparison) -> str:
    if comparison.share:
        return f"; {comparison.share} draws, the others have {comparison.why or 'none'}"
    return f"; mean of {len(comparison.pairs)} draws" if len(comparison.pairs) > 1 else ""


def _alone(score: Score) -> str:
    number, whole = score.value, score.whole
    beside = []
    for control, draws in score.controls.items():
        share = f" in {draws.share} draws" if draws.share and draws.known else ""
        said = score_in_words(draws.mean, whole) if draws.known else draws.why or "–"
        beside.append(f"{words(control)} {said}{share}")
    if number is not None and number.chance is not None:
        beside.append(f"chance {score_in_words(number.chance, whole)}")
    behind = "" if number is None else range_in_words(number, whole)
    own = "not defined" if number is None else score_in_words(number.value, whole)
    text = f"{words(score.name)} {own}{f' {behind}' if behind else ''}"
    return text + (f" ({', '.join(beside)})" if beside else "")


def _lacking_draws(count: int, total: int, why: str) -> str:
    reason = why or "not defined"
    return reason if total == 1 else f"{reason} in {count} of {total} draws"


def _with_sign(value: float) -> str:
    return f"+{short(value)}" if value > 0 else short(value)
