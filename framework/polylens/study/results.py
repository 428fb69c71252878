"""The numbers of one child, each control's beside what it controls, draw by draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from polylens.analyses import NETWORK
from polylens.records import Comparison, Draws, Number
from polylens.study.answering import CODE, MODEL, Question
from polylens.study.comparing import comparisons_of
from polylens.study.plans import VariantPlan
from polylens.study.walk import Walk
from polylens.wording import largest


@dataclass(frozen=True)
class Result:
    """One number of an analysis, a label or a network, for every variant that has it."""

    source: str
    """Name of the analysis or label in the spec, or `model`, or `code`."""
    name: str
    """Name of the number, such as `purity`."""
    by_variant: Mapping[str, Draws]
    """One number a draw, by `network`, control names and `raw_inputs`."""
    headline: bool
    """Whether the summary in the terminal shows it."""
    answers: bool
    """Whether it belongs to the answer: `Question` says of what."""
    asked: bool = False
    """Whether the spec's rule compares it: then it stands first in the answer."""
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    """The network beside each control on equal terms, where the analysis compares this number."""

    @property
    def own(self) -> Number | None:
        """The spec's own network's number; None where it is not defined there, or only a control has it."""
        draws = self.by_variant.get(NETWORK)
        return None if draws is None else draws.each[0]

    @property
    def is_shown(self) -> bool:
        """Whether it stands in tables: the network has the number, or says why it has none."""
        return NETWORK in self.by_variant

    @property
    def reach(self) -> float:
        """The size of the largest of its numbers, its range and chance level included: see `short`."""
        own = () if self.own is None else (self.own.reach, self.own.chance)
        return largest((*own, *(value for draws in self.by_variant.values() for value in draws.known)))

    @property
    def controls(self) -> dict[str, Draws]:
        """The controls' numbers."""
        return {variant: draws for variant, draws in self.by_variant.items() if variant != NETWORK}


def results_of(walk: Walk) -> tuple[Result, ...]:
    """All numbers of a child, source by source, in the spec's order."""
    by_draw = [(variant.name, _numbers_of(walk, variant)) for variant in walk.plan.variants]
    keys = dict.fromkeys(
        (source, name) for _, sources in by_draw for source in sources for name in sources[source]
    )
    question = Question.of(walk.plan.experiment)
    headlines, answers, asked = question.headlines(), question.answers(), frozenset(question.asked())
    compared = {source: comparisons_of(walk, source) for source in walk.own.analyses}
    return tuple(
        Result(
            source,
            name,
            _by_variant(by_draw, source, name),
            headline=f"{source}/{name}" in asked or _is_of(name, headlines.get(source, ())),
            answers=f"{source}/{name}" in asked or _is_of(name, answers.get(source, ())),
            asked=f"{source}/{name}" in asked,
            comparisons={
                control: by_name[name]
                for control, by_name in compared.get(source, {}).items()
                if name in by_name
            },
        )
        for source, name in keys
    )


def answering_results(results: Iterable[Result]) -> list[Result]:
    """Those that answer the spec's question and stand in tables, first those of what its rule is about."""
    shown = [result for result in results if result.is_shown and result.answers]
    about = {result.source for result in shown if result.asked}
    return sorted(shown, key=lambda result: result.source not in about)


def _is_of(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


_BySource = Mapping[str, Mapping[str, Number | str]]
"""By source and name: a number, or why it is not defined."""


def _by_variant(by_draw: list[tuple[str, _BySource]], source: str, name: str) -> dict[str, Draws]:
    """The draws of each variant that has the source, and in some draw the number or a reason for none."""
    by_variant: dict[str, list[Number | str | None]] = {}
    for variant, sources in by_draw:
        if source in sources:
            by_variant.setdefault(variant, []).append(sources[source].get(name))
    draws: dict[str, Draws] = {}
    for variant, each in by_variant.items():
        if any(one is not None for one in each):
            reasons = [one for one in each if isinstance(one, str)]
            numbers = [one if isinstance(one, Number) else None for one in each]
            draws[variant] = Draws(tuple(numbers), why=reasons[0] if reasons else "")
    return draws


def _numbers_of(walk: Walk, variant: VariantPlan) -> _BySource:
    """Everything that one draw of one variant has, by source; a source without numbers is there too."""
    numbers: dict[str, Mapping[str, Number | str]] = {}
    scores = walk.learning.scores(variant)
    if scores:
        numbers[MODEL] = scores
    proxy = _proxy_numbers(walk, variant)
    if proxy:
        numbers[CODE] = proxy
    for source in variant.analyses:
        findings = walk.findings(variant, source)
        numbers[source] = {**findings.undefined, **findings.numbers}
    for source in variant.labels:
        labels = walk.naming.labels(variant, source)
        numbers[source] = {**labels.undefined, **labels.numbers}
    for source in variant.scores:
        scored = walk.naming.scored(variant, source)
        numbers[source] = {**scored.undefined, **scored.numbers}
    return numbers


def _proxy_numbers(walk: Walk, variant: VariantPlan) -> dict[str, Number]:
    """How good a proxy a hard code is of smooth or gated units; nothing where units are neither."""
    codes = walk.rows(variant).codes if "codes" in variant.takes else None
    if codes is None or not codes.scheme.is_proxy:
        return {}
    numbers: dict[str, Number] = {}
    if codes.explained is not None:
        explained = codes.explained
        numbers["explained_variance"] = _with_interval(explained.variance, explained.variance_limits)
        numbers["median_unit_explained_variance"] = _with_interval(
            explained.median_unit_variance, explained.median_unit_limits
        )
    return {**numbers, "near_boundary_fraction": Number(codes.near_boundary_fraction)}


def _with_interval(value: float, limits: tuple[float, float] | None) -> Number:
    if limits is None:
        return Number(value)
    return Number(value, *limits, "90 % interval by the jackknife over parts of the examples")
