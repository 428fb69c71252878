"""The sides of a comparison of runs: a run's own network, or a control of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from polylens.analyses import NETWORK
from polylens.errors import StoreError, UsageError
from polylens.records import Number
from polylens.study.meant import PastRuns
from polylens.study.past import PastRun
from polylens.study.readable import name_and_variant

_CONTROL = re.compile(r"(?P<run>.+):(?P<variant>[A-Za-z_]\w*)(?:#(?P<draw>\d+))?")


@dataclass(frozen=True)
class Side:
    """A run, and which of its networks."""

    run: PastRun
    variant: str = NETWORK
    draw: int | None = None
    """Of a control with several draws; None for all."""
    suffix: str = ""
    """What tells it from a side of the same name."""

    @property
    def title(self) -> str:
        """The run's name, and which control and draw of it."""
        control = "" if self.variant == NETWORK else f":{self.variant}"
        draw = "" if self.draw is None else f"#{self.draw}"
        return f"{self.run.name}{control}{draw}{self.suffix}"

    @property
    def n_draws(self) -> int:
        """How many draws stand on this side."""
        return 1 if self.draw is not None else max(self.run.stored.draws(self.variant), 1)

    @property
    def first_draw(self) -> int:
        """The draw whose rows are looked at where only one's can be."""
        return self.draw or 1

    @cached_property
    def numbers(self) -> Mapping[str, Number]:
        """This side's numbers by the names that the network's have; of several draws their means."""
        controls = self.run.controls()
        named = [
            (*name_and_variant(logged, controls), number)
            for logged, number in self.run.numbers_by_name().items()
        ]
        # A lead of the network over a control stands under the control's name alone, and is none of its own.
        own = {name for name, variant, _ in named if variant == NETWORK}
        numbers = {
            name: number
            for name, variant, number in named
            if variant == self.variant and (name in own or not name.endswith("_lead"))
        }
        if self.draw is None or self.n_draws_of_all == 1:
            return numbers
        drawn = self.run.table("draws")
        lines = drawn[(drawn["control"] == self.variant) & (drawn["draw"] == self.draw)]
        values = {line["number"]: float(line["value"]) for line in lines.to_dict("records")}
        return {name: self._drawn(name, value) for name, value in values.items()}

    def _drawn(self, name: str, value: float) -> Number:
        """One number of one draw, with its range where the store still has it."""
        source, _, number = name.partition("/")
        stored, draw = self.run.stored, self.first_draw
        numbers: Mapping[str, Number] = {}
        with suppress(StoreError):
            if source in self.run.analyses:
                numbers = stored.findings(source, self.variant, draw).numbers
            elif source in self.run.label_kinds:
                numbers = stored.labels(source, self.variant, draw).numbers
            elif source in self.run.scores:
                numbers = stored.scored(source, self.variant, draw).numbers
        return numbers.get(number, Number(value))

    @property
    def n_draws_of_all(self) -> int:
        """How many draws the control has."""
        return self.run.stored.draws(self.variant)


def sides_meant(asked: Sequence[str], runs: PastRuns) -> tuple[Side, ...]:
    """The sides of what a person writes, in this order: `RUN`, `RUN:CONTROL` or `RUN:CONTROL#DRAW`.

    A spec or a run with children stands for every child.

    Raises:
        UsageError: fewer than two sides, a run or a control that is not there, or one side twice.
    """
    sides = [side for each in asked for side in _sides_of(each, runs)]
    if len(sides) < 2:
        raise UsageError(
            f"'{asked[0]}' is one run, and there is nothing to compare it with",
            hint="name a second run, or a control of it, such as "
            f"'{asked[0]}:{_example(sides[0])}'; a spec with a sweep stands for all its runs",
        )
    keys = [(side.run.run_id, side.variant, side.draw) for side in sides]
    twice = next((side for side, key in zip(sides, keys, strict=True) if keys.count(key) > 1), None)
    if twice is not None:
        raise UsageError(f"'{twice.title}' is named twice", hint="a run does not differ from itself")
    titles = Counter(side.title for side in sides)
    return tuple(
        replace(side, suffix=f" ({side.run.run_id[:8]})") if titles[side.title] > 1 else side
        for side in sides
    )


def _sides_of(asked: str, runs: PastRuns) -> list[Side]:
    control = _CONTROL.fullmatch(asked)
    if control is None:
        return [Side(run) for run in runs.meant(asked)]
    draw = None if control["draw"] is None else int(control["draw"])
    meant = runs.meant(control["run"])
    for run in meant:
        run.stored.check_variant(control["variant"], draw or 1)
    return [Side(run, control["variant"], draw) for run in meant]


def _example(side: Side) -> str:
    """A control of the run, for the hint."""
    variants = [each for each in side.run.stored.variants() if each != NETWORK]
    return variants[0] if variants else "CONTROL"
