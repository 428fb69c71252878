"""Numbers and lists as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence


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


def short(value: float) -> str:
    """A measured number, to two digits behind the point or two significant ones; a dash for NaN.

    >>> short(0.9641), short(12.0), short(12345.6), short(0.0123), short(0.00012), short(float("nan"))
    ('0.96', '12.0', '12,346', '0.012', '1.2e-04', '–')
    """
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e7 or size < 1e-3:
        return f"{value:.1e}"
    if size < 0.1:
        return f"{value:.{1 - math.floor(math.log10(size))}f}"
    return f"{value:,.{2 if size < 10 else 1 if size < 100 else 0}f}"


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
