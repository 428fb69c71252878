"""Numbers and lists as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

_LEAST_PLACES, _MOST_PLACES = 2, 7
"""Digits behind the point that numbers have at least, but for large ones, and at most."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(share: float) -> str:
    """A share in words of a hundred.

    >>> percent(0.5), percent(0.0004), percent(0.9999)
    ('50 %', '<1 %', '>99 %')
    """
    whole = f"{100 * share:.0f}"
    if whole == "0" and share > 0:
        return "<1 %"
    if whole == "100" and share < 1:
        return ">99 %"
    return f"{whole} %"


def count_of(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count_of(1, "cluster"), count_of(1200, "row"), count_of(2, "class")
    ('1 cluster', '1,200 rows', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else noun + ('es' if noun.endswith('s') else 's')}"


def short(value: float, *, beside: float | None = None) -> str:
    """A measured number as people write it, never with an exponent; a dash for what is no finite number.

    It has two digits behind the point, or the first two that are not zero; above 10 fewer. Only an exact zero
    is `0`.

    Args:
        value: the number.
        beside: a number that it is read with, such as the larger end of its range. Digits behind the second
            one that are finer than this number's are left out: they say nothing.

    >>> short(0.9641), short(12.0), short(12345.6), short(0.0123), short(-0.000094), short(float("nan"))
    ('0.96', '12.0', '12,346', '0.012', '-0.000094', '–')
    >>> short(0.0), short(-0.000094, beside=0.021), short(0.0123, beside=0.5), short(1e-16), short(2e7)
    ('0', '0.000', '0.01', '<0.000001', '20,000,000')
    """
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    places = _places(value)
    if beside is not None and math.isfinite(beside) and beside:
        places = min(places, max(_places(beside), _LEAST_PLACES))
    if places > _MOST_PLACES:
        least = f"{10.0 ** (1 - _MOST_PLACES):.{_MOST_PLACES - 1}f}"
        return f"<{least}" if value > 0 else f">-{least}"
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def counted(value: float, *, beside: float | None = None) -> str:
    """A measured number, or all digits of a count: a whole number of 2 or more.

    >>> counted(13.0), counted(12345.0), counted(1.0), counted(12.4)
    ('13', '12,345', '1.00', '12.4')
    """
    is_count = math.isfinite(value) and abs(value) >= 2 and float(value).is_integer()
    return f"{value:,.0f}" if is_count else short(value, beside=beside)


def at_axis(value: float) -> str:
    """A round number, at an axis or given, to six digits that count; beyond a million or so as books do.

    >>> at_axis(0.5), at_axis(2000.0), at_axis(0.00002), at_axis(-1e7), at_axis(2.5e9), at_axis(-1e-17)
    ('0.5', '2,000', '2·10⁻⁵', '-10⁷', '2.5·10⁹', '0')
    """
    if not math.isfinite(value):
        return "–"
    value = round(value, 10) or 0.0  # what is smaller at an axis is rounding, and no zero has a sign
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return f"{float(f'{value:.6g}'):,.10f}".rstrip("0").removesuffix(".")
    digits, _, power = f"{value:.5e}".partition("e")
    digits = digits.rstrip("0").removesuffix(".")
    raised = f"10{str(int(power)).translate(_RAISED)}"
    sign = "-" if value < 0 else ""
    return f"{sign}{raised}" if digits.strip("-") == "1" else f"{digits}·{raised}"


def small_chance(p_value: float) -> str:
    """A p-value as people write it.

    >>> small_chance(0.04), small_chance(0.0000001), small_chance(1.0)
    ('0.040', '<0.001', '1.00')
    """
    return "<0.001" if p_value < 0.001 else short(p_value)


def largest(values: Iterable[float | None]) -> float:
    """The size of the largest of some numbers that are finite; 0 where none is.

    >>> largest([0.5, -2.0, None, float("nan")])
    2.0
    """
    return max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)


def _places(value: float) -> int:
    """Digits behind the point that a number of this size is written with."""
    size = abs(value)
    if size >= 10:
        return 0 if size >= 100 else 1
    return _LEAST_PLACES if size >= 0.1 else 1 - math.floor(math.log10(size))


def capital(text: str) -> str:
    """The text with a capital at its beginning.

    >>> capital("clusters of codes")
    'Clusters of codes'
    """
    return text[:1].upper() + text[1:]


def series(texts: Sequence[str]) -> str:
    """The different texts that are not empty, in their order, as one sentence part.

    >>> series(["a", "", "b", "a"])
    'a; b'
    """
    return "; ".join(dict.fromkeys(text for text in texts if text))
