"""Numbers of a run as a paper prints them: each with its range, the network beside its controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from polylens.analyses import NETWORK

if TYPE_CHECKING:
    import pandas as pd


def paper_table(numbers: pd.DataFrame, names: Sequence[str], *, digits: int) -> pd.DataFrame:
    """A line a number and a column a variant, with the levels by chance as the last one.

    Args:
        numbers: as `ReadableRun.numbers` gives them.
        names: which of them, in this order.
        digits: behind the point, of all but whole numbers from 2 on.
    """
    import pandas as pd

    shown = numbers[numbers["name"].isin(list(names))]
    cells = {(line["name"], line["variant"]): _with_range(line, digits) for line in shown.to_dict("records")}
    variants = [NETWORK, *(each for each in dict.fromkeys(shown["variant"]) if each != NETWORK)]
    columns = {variant: [cells.get((name, variant), "") for name in names] for variant in variants}
    own = shown[shown["variant"] == NETWORK].set_index("name")["chance"].dropna()
    if len(own):
        columns["chance"] = [_rounded(own[name], digits) if name in own else "" for name in names]
    table = pd.DataFrame(columns, index=pd.Index(list(names), name="number"))
    table.attrs["notes"] = list(_notes(shown))
    return table


def latex_of(table: pd.DataFrame) -> str:
    """A table of `paper_table` in LaTeX for the package booktabs, with its notes as the caption."""
    spoken = table.rename(index=_spoken, columns=_spoken).rename_axis(None)
    caption = " ".join(f"{note}." for note in table.attrs.get("notes", ()))
    written: str = spoken.to_latex(
        escape=True, caption=_escaped(caption) or None, column_format="l" + "r" * len(spoken.columns)
    )
    return written


def _notes(shown: pd.DataFrame) -> Iterator[str]:
    """What the ranges are, each meaning once with the numbers that have it; then what chance is."""
    meanings: dict[str, dict[str, None]] = {}
    for line in shown.to_dict("records"):
        if line["low"] == line["low"] and line["interval"]:
            whose = line["name"] if line["variant"] == NETWORK else line["variant"]
            meanings.setdefault(_meaning(line), {})[_spoken(whose)] = None
    for meaning, all_whose in meanings.items():
        yield f"Ranges of {', '.join(all_whose)}: {meaning}"
    chances = dict.fromkeys(text for text in shown["chance_is"] if text)
    if chances:
        yield f"Chance: {'; '.join(chances)}"


def _meaning(line: dict[object, object]) -> str:
    kind = "stability range, no interval of uncertainty, " if line["range_is"] == "stability" else ""
    return f"{kind}{line['interval']}"


def _with_range(line: dict[object, object], digits: int) -> str:
    value, low, high = (float(str(line[key])) for key in ("value", "low", "high"))
    if low != low or high != high:
        return _rounded(value, digits)
    # Of a mean count that is no whole number its range is rounded as it is.
    places = 0 if _is_count(value) else digits
    return f"{_rounded(value, digits)} [{low:,.{places}f}, {high:,.{places}f}]"


def _rounded(value: float, digits: int) -> str:
    """A number in so many digits, a count as a whole number, a dash for none.

    >>> _rounded(0.9951, 2), _rounded(13.0, 2), _rounded(-0.001, 2), _rounded(float("nan"), 2)
    ('1.00', '13', '0.00', '-')
    """
    if value != value:
        return "-"
    text = f"{value:,.0f}" if _is_count(value) else f"{value:,.{digits}f}"
    return text.removeprefix("-") if not any(character in "123456789" for character in text) else text


def _is_count(value: float) -> bool:
    return value.is_integer() and abs(value) >= 2


def _spoken(name: object) -> str:
    return str(name).replace("_", " ")


def _escaped(text: str) -> str:
    """Text with what LaTeX would read as commands made literal."""
    special = {
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }  # fmt: skip
    return "".join(special.get(character, character) for character in text)
