"""One number of one variant, draw by draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from polylens.records.findings import Number


@dataclass(frozen=True)
class Draws:
    """One number of every draw of a control (the network and the raw inputs have one draw).

    A draw may have no such number: purity is not defined where nothing is clustered. Its place is kept, so
    that two numbers of one control are paired draw by draw, and a mean says over which draws it was taken.
    """

    each: tuple[Number | None, ...]
    """The number of each draw; None where it is not defined."""
    why: str = ""
    """Why it is not defined where it is not, such as `no clusters`."""

    @property
    def values(self) -> tuple[float | None, ...]:
        """The value of each draw; None where there is no number, or where it is NaN.

        >>> Draws((Number(1.0), Number(float("nan")), None)).values
        (1.0, None, None)
        """
        return tuple(
            None if number is None or math.isnan(number.value) else number.value for number in self.each
        )

    @property
    def known(self) -> tuple[float, ...]:
        """The values of the draws that have one."""
        return tuple(value for value in self.values if value is not None)

    @property
    def is_whole(self) -> bool:
        """Whether every draw has a value."""
        return len(self.known) == len(self.each)

    @property
    def mean(self) -> float | None:
        """The mean over the draws that have the number; None where none has.

        >>> Draws((Number(0.5), None, Number(1.0))).mean
        0.75
        """
        return fmean(self.known) if self.known else None

    @property
    def share(self) -> str:
        """How many draws have the number; empty where all have.

        >>> Draws((Number(0.5), None, Number(1.0))).share
        '2 of 3'
        """
        return "" if self.is_whole else f"{len(self.known)} of {len(self.each)}"

    def summary(self) -> Number | None:
        """One number for all draws: their mean, least and greatest; None unless every draw has it.

        A mean over some draws is not comparable with another number's mean over all of them.
        """
        if len(self.each) == 1:
            return self.each[0]
        numbers = [number for number in self.each if number is not None]
        if self.mean is None or not self.is_whole:
            return None
        chances = [number.chance for number in numbers if number.chance is not None]
        return Number(
            value=self.mean,
            low=min(self.known),
            high=max(self.known),
            interval=f"least and greatest of {len(numbers)} draws",
            range_is="draws",
            chance=fmean(chances) if chances else None,
            chance_is=numbers[0].chance_is,
            unit=numbers[0].unit,
        )
