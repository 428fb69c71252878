"""The numbers of one child, each control's beside what it controls, and the names they are logged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from polylens.analyses import NETWORK
from polylens.records import Number
from polylens.study.plans import VariantPlan
from polylens.study.walk import Walk

CODE = "code"
"""The stage of numbers that say how good a proxy the code is; no analysis can be called like this."""


@dataclass(frozen=True)
class Result:
    """One number of one stage, for every variant that has it."""

    stage: str
    """Name of the analysis or label in the spec, or `model`, or `code`."""
    name: str
    """Name of the number, such as `purity`."""
    by_variant: Mapping[str, tuple[Number, ...]]
    """One number a draw, by `network`, control names and `raw_inputs`."""
    headline: bool
    """Whether the summary in the terminal shows it."""
    answers: bool
    """Whether it belongs to the report's answer."""

    @property
    def own(self) -> Number | None:
        """The spec's own network's number; None where only a control has it."""
        draws = self.by_variant.get(NETWORK)
        return None if draws is None else draws[0]

    @property
    def controls(self) -> dict[str, tuple[Number, ...]]:
        """The controls' numbers."""
        return {variant: draws for variant, draws in self.by_variant.items() if variant != NETWORK}


def results_of(walk: Walk) -> tuple[Result, ...]:
    """All numbers of a child, stage by stage, in the spec's order."""
    gathered: dict[tuple[str, str], dict[str, tuple[Number, ...]]] = {}
    for plan in walk.plan.variants:
        for key, number in _numbers(walk, plan):
            draws = gathered.setdefault(key, {})
            draws[plan.variant.name] = (*draws.get(plan.variant.name, ()), number)
    headlines = _headlines(walk.plan.own)
    answers = {stage: planned.analysis.answer for stage, planned in walk.plan.own.analyses.items()}
    return tuple(
        Result(
            stage,
            name,
            by_variant,
            headline=name in headlines.get(stage, ()),
            answers=name in answers.get(stage, ()),
        )
        for (stage, name), by_variant in gathered.items()
    )


def metrics_of(results: Iterable[Result]) -> dict[str, Number]:
    """Numbers by metric name: `quality/purity` for the network, `quality/purity.random_init` for a control.

    Several draws of one control become their mean, with the least and greatest as its interval.
    """
    return {
        f"{result.stage}/{result.name}{'' if variant == NETWORK else f'.{variant}'}": over_draws(draws)
        for result in results
        for variant, draws in result.by_variant.items()
    }


def over_draws(draws: tuple[Number, ...]) -> Number:
    """One number for several draws of a control."""
    if len(draws) == 1:
        return draws[0]
    values = [draw.value for draw in draws]
    chances = [draw.chance for draw in draws if draw.chance is not None]
    return Number(
        value=fmean(values),
        low=min(values),
        high=max(values),
        interval=f"least and greatest of {len(draws)} draws",
        chance=fmean(chances) if chances else None,
        chance_is=draws[0].chance_is,
        unit=draws[0].unit,
    )


def _numbers(walk: Walk, plan: VariantPlan) -> Iterable[tuple[tuple[str, str], Number]]:
    accuracy = walk.accuracy(plan)
    if accuracy is not None:
        yield ("model", "accuracy"), accuracy
    yield from (((CODE, name), number) for name, number in _proxy_numbers(walk, plan).items())
    for stage in plan.analyses:
        for name, number in walk.findings(plan, stage).numbers.items():
            yield (stage, name), number
    for stage in plan.labels:
        for name, number in walk.labels(plan, stage).numbers.items():
            yield (stage, name), number


def _proxy_numbers(walk: Walk, plan: VariantPlan) -> dict[str, Number]:
    """How good a proxy a hard code is of smooth or gated units; nothing where units are neither."""
    codes = walk.rows(plan).codes if "codes" in plan.takes else None
    if codes is None or not codes.scheme.is_proxy:
        return {}
    numbers: dict[str, Number] = {}
    if codes.explained is not None:
        found = codes.explained
        numbers["explained_variance"] = _jackknifed(found.variance, found.variance_limits)
        numbers["median_unit_explained_variance"] = _jackknifed(
            found.median_unit_variance, found.median_unit_limits
        )
    return {**numbers, "near_boundary_fraction": Number(codes.near_boundary_fraction)}


def _jackknifed(value: float, limits: tuple[float, float] | None) -> Number:
    if limits is None:
        return Number(value)
    return Number(value, *limits, "90 % interval by the jackknife over parts of the examples")


def _headlines(own: VariantPlan) -> dict[str, tuple[str, ...]]:
    analyses = {name: planned.analysis.headline for name, planned in own.analyses.items()}
    labels = {name: planned.label.headline for name, planned in own.labels.items()}
    return {**analyses, **labels, "model": ("accuracy",), CODE: ("explained_variance",)}
