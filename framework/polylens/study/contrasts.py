"""Several past runs set side by side: their specs, their numbers, and where their rows went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from polylens.analyses import Outcome
from polylens.errors import PolylensError
from polylens.records import Comparison, Number, Pair
from polylens.report import Contrast, ContrastSide, EqualTerms, Flow, NumberDifference
from polylens.statistics import difference, negative
from polylens.streams import Streams
from polylens.study.flows import flows_between
from polylens.study.sides import Side
from polylens.study.spec_differences import spec_differences

_COUNTS = ("examples", "rows")
_SHARED = (
    "90 % interval over resamples of the examples that both have; how much other seeds or draws would differ "
    "is not in it"
)


def contrast_of(sides: Sequence[Side]) -> Contrast:
    """The first side beside each further one; what cannot be compared is said among `refusals`.

    Raises:
        UsageError: a run is not finished, or is none of a spec.
        TrackingError: MLflow cannot be asked.
    """
    letters = [_letter(index) for index in range(len(sides))]
    refusals: list[str] = []
    equal_terms: list[EqualTerms] = []
    flows: list[Flow] = []
    for letter, side in zip(letters[1:], sides[1:], strict=True):
        for terms in _equal_terms(sides[0], side, letter=letter):
            if isinstance(terms, str):
                refusals.append(terms)
            else:
                equal_terms.append(terms)
        for flow in flows_between(sides[0], side, letter=letter):
            if isinstance(flow, str):
                refusals.append(flow)
            else:
                flows.append(flow)
    return Contrast(
        sides=tuple(_shown(side, letter) for side, letter in zip(sides, letters, strict=True)),
        spec=spec_differences(sides),
        numbers=tuple(_number_differences(sides)),
        equal_terms=tuple(equal_terms),
        flows=tuple(flows),
        refusals=tuple(dict.fromkeys(refusals)),
    )


def _letter(index: int) -> str:
    """A, B, ..., Z, then A1, B1, ..."""
    return f"{chr(ord('A') + index % 26)}{index // 26 or ''}"


def _shown(side: Side, letter: str) -> ContrastSide:
    draws = side.n_draws
    several = f"numbers are means of {draws} draws; rows are those of the first" if draws > 1 else ""
    note = "; ".join(text for text in (side.run.note, several) if text)
    started = f"{side.run.logged.started:%Y-%m-%d %H:%M} UTC"
    return ContrastSide(letter, side.title, side.run.run_id, started, note)


def _number_differences(sides: Sequence[Side]) -> Iterator[NumberDifference]:
    """Every number that some side has, the headlines first."""
    headlines = {name for side in sides for name in side.run.headlines()}
    each = [side.numbers for side in sides]
    names = [
        name for name in dict.fromkeys(name for numbers in each for name in numbers) if name not in _COUNTS
    ]
    for name in sorted(names, key=lambda name: name not in headlines):
        numbers = tuple(numbers.get(name) for numbers in each)
        yield NumberDifference(
            name,
            headline=name in headlines,
            numbers=numbers,
            differences=tuple(_difference(numbers[0], number) for number in numbers[1:]),
        )


def _difference(first: Number | None, second: Number | None) -> Number | None:
    return None if first is None or second is None else difference(first, second)


def _equal_terms(first: Side, second: Side, *, letter: str) -> Iterator[EqualTerms | str]:
    """Each number that an analysis of both compares on equal terms, paired over the examples of both."""
    for name, analysis in first.run.analyses.items():
        further = second.run.analyses.get(name)
        on_both = all(side.run.stored.has(name, side.variant, side.first_draw) for side in (first, second))
        if not analysis.compared or further is None or type(further) is not type(analysis) or not on_both:
            continue
        if analysis.upstream() != further.upstream():
            yield f"{letter}: '{name}' is not compared on equal terms: it stands on other analyses there"
            continue
        if first.n_draws > 1:
            yield (
                f"{letter}: '{name}' is not compared on equal terms: A has {first.n_draws} draws; "
                f"name one, such as {first.title}#1"
            )
            continue
        try:
            if (
                len({side.run.stored.fingerprint(side.variant, side.first_draw) for side in (first, second)})
                > 1
            ):
                yield f"{letter}: '{name}' is not compared on equal terms: the two took other examples"
                continue
            own, *_ = _outcomes(first, name, analysis.upstream())
            draws = _outcomes(second, name, analysis.upstream())
            streams = Streams(int(first.run.spec["seed"])).child(analysis.kind())
            compared: Mapping[str, Comparison] = analysis.compare(own, draws, streams=streams)
        except PolylensError as error:
            yield f"{letter}: '{name}' is not compared on equal terms: {error}"
            continue
        for number, comparison in compared.items():
            several = second.n_draws > 1  # then the draws are in the interval, as it says itself
            meaning = comparison.lead.interval if several and comparison.lead is not None else _SHARED
            yield EqualTerms(f"{name}/{number}", letter, _turned(comparison, meaning))


def _outcomes(side: Side, name: str, upstream: Sequence[str]) -> list[Outcome]:
    """What an analysis took and found, of each draw of the side."""
    draws = [side.draw] if side.draw is not None else range(1, side.n_draws + 1)
    return [side.run.stored.outcome(name, upstream, side.variant, draw) for draw in draws]


def _turned(comparison: Comparison, meaning: str) -> Comparison:
    """The comparison with the further side as its own: an analysis takes the first side for the network."""
    lead = comparison.lead
    if lead is not None:
        lead = replace(negative(lead), interval=meaning)
    pairs = tuple(
        None if pair is None else Pair(pair.other, pair.own, pair.coverage) for pair in comparison.pairs
    )
    return replace(comparison, pairs=pairs, lead=lead)
