"""The numbers of one child under the names they are logged by, each control's beside what it controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean

from polylens.records import Number
from polylens.study.planning import VariantPlan
from polylens.study.walk import Walk


def numbers_of(walk: Walk) -> dict[str, Number]:
    """All numbers of a child: `quality/purity` for the network, `quality/purity.random_init` for a control.

    Several draws of one control become their mean, with the least and greatest as its interval.
    """
    gathered: dict[str, dict[str, list[Number]]] = {}
    for plan in walk.plan.variants:
        for name, number in _numbers(walk, plan):
            gathered.setdefault(name, {}).setdefault(plan.variant.name, []).append(number)
    own = walk.plan.own.variant.name
    return {
        name if variant == own else f"{name}.{variant}": _over_draws(draws)
        for name, variants in gathered.items()
        for variant, draws in variants.items()
    }


def _numbers(walk: Walk, plan: VariantPlan) -> Iterable[tuple[str, Number]]:
    accuracy = walk.accuracy(plan)
    if accuracy is not None:
        yield "model/accuracy", accuracy
    for name in plan.analyses:
        yield from _named(name, walk.findings(plan, name).numbers)
    for name in plan.labels:
        yield from _named(name, walk.labels(plan, name).numbers)


def _named(stage: str, numbers: Mapping[str, Number]) -> Iterable[tuple[str, Number]]:
    return ((f"{stage}/{name}", number) for name, number in numbers.items())


def _over_draws(draws: list[Number]) -> Number:
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
