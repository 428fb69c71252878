"""What a kind's methods return, held against what its family promises: polylens' own kinds and everyone's.

A kind of another package is run by people while they write it. What it returns is looked at before it is
stored, so that a mistake is told with the method, its file and its line, and not by whoever reads the store.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import TypeVar

from polylens.analyses import Analysis
from polylens.errors import KindError, shown_path
from polylens.plugin import Plugin
from polylens.records import Figure, Findings, Labels, Number, Partition

Returned = TypeVar("Returned")

_GUIDE = "docs/guide/kinds.md shows what each method returns"
_PNG = b"\x89PNG"
_NO_NUMBER = "it came out as no number (nan)"


def checked_findings(kind: Plugin, method: str, returned: object, *, n_rows: int | None = None) -> Findings:
    """Findings that a method returned; numbers that are none are called undefined.

    Args:
        kind: whose method it is.
        method: `run`, `probe` or `score`.
        returned: what it returned.
        n_rows: how many rows a partition must have; None where it can have none.

    Raises:
        KindError: it is something else than findings, or something in them is.
    """
    findings = _of_type(kind, method, returned, Findings, say="Findings(numbers={...}, tables={...})")
    _refuse(kind, method, [*_wrong_numbers(findings.numbers), *_wrong_tables(findings.tables)])
    partition = findings.partition
    if partition is not None:
        _refuse(kind, method, _wrong_partition(kind, partition, n_rows=n_rows))
    numbers, undefined = _defined(findings.numbers, findings.undefined)
    return replace(findings, numbers=numbers, undefined=undefined)


def checked_labels(kind: Plugin, method: str, returned: object, partition: Partition) -> Labels:
    """Labels that a method returned; numbers that are none are called undefined.

    Raises:
        KindError: it is something else than labels, or they are not of the partition's clusters.
    """
    labels = _of_type(kind, method, returned, Labels, say="Labels((ClusterLabel(...), ...))")
    _refuse(kind, method, [*_wrong_numbers(labels.numbers), *_wrong_tables(labels.tables)])
    given, wanted = [each.cluster for each in labels.clusters], list(range(partition.n_clusters))
    if not labels.written and given != wanted:
        wrong = f"labels of the clusters {given[:5]}{', ...' * (len(given) > 5)}"
        _refuse(kind, method, [f"{wrong}, and the clusters are 0 to {len(wanted) - 1}, one label each"])
    numbers, undefined = _defined(labels.numbers, labels.undefined)
    return replace(labels, numbers=numbers, undefined=undefined)


def checked_figures(kind: Plugin, returned: object) -> tuple[Figure, ...]:
    """Figures that a kind's `draw` returned.

    Raises:
        KindError: it is no tuple of figures, one of them is no PNG, or two have one name.
    """
    if isinstance(returned, Figure):
        raise _error(kind, "draw", "one Figure, where a tuple of them is asked for: return (figure,)")
    if not isinstance(returned, tuple | list):
        raise _error(kind, "draw", f"{_article(returned)}, not a tuple of Figure")
    figures = tuple(_of_type(kind, "draw", each, Figure, say="(Figure(...), ...)") for each in returned)
    names = [figure.name for figure in figures]
    wrong = [f"two figures named '{name}'" for name in dict.fromkeys(names) if names.count(name) > 1]
    wrong += [
        f"the figure '{figure.name}' with {_article(figure.png)} that is no PNG as its png"
        for figure in figures
        if not (isinstance(figure.png, bytes) and figure.png.startswith(_PNG))
    ]
    _refuse(kind, "draw", wrong)
    return figures


def _of_type(kind: Plugin, method: str, returned: object, wanted: type[Returned], *, say: str) -> Returned:
    if not isinstance(returned, wanted):
        raise _error(kind, method, f"{_article(returned)}, not {wanted.__name__}: return {say}")
    return returned


def _wrong_numbers(numbers: object) -> Iterator[str]:
    if not isinstance(numbers, Mapping):
        yield f"{_article(numbers)} as `numbers`, not a map of Number by name"
        return
    for name, number in numbers.items():
        if not isinstance(number, Number):
            yield f"{_article(number)} as the number '{name}', not Number({_shown(number)})"
        else:
            value: object = number.value  # what was said of it is no more than a promise
            if not isinstance(value, Real):
                yield f"{_article(value)} as the value of the number '{name}'"


def _wrong_tables(tables: object) -> Iterator[str]:
    if not isinstance(tables, Mapping):
        yield f"{_article(tables)} as `tables`, not a map of pandas.DataFrame by name"
        return
    if not tables:
        return
    import pandas as pd

    for name, table in tables.items():
        if not isinstance(table, pd.DataFrame):
            yield f"{_article(table)} as the table '{name}', not a pandas.DataFrame"


def _wrong_partition(kind: Plugin, partition: object, *, n_rows: int | None) -> Iterator[str]:
    if not isinstance(partition, Partition):
        yield f"{_article(partition)} as `partition`, not a Partition"
    elif n_rows is not None and len(partition.labels) != n_rows:
        yield f"a partition of {len(partition.labels):,} rows, and there are {n_rows:,}"
    elif isinstance(kind, Analysis) and not kind.gives_partition:
        yield "a partition, and its class does not say `gives_partition: ClassVar[bool] = True`"


def _defined(
    numbers: Mapping[str, Number], undefined: Mapping[str, str]
) -> tuple[Mapping[str, Number], Mapping[str, str]]:
    """Numbers that are numbers, and why others are not."""
    missing = {name: _NO_NUMBER for name, number in numbers.items() if math.isnan(number.value)}
    if not missing:
        return numbers, undefined
    return {name: each for name, each in numbers.items() if name not in missing}, {**missing, **undefined}


def _refuse(kind: Plugin, method: str, wrong: Iterable[str]) -> None:
    if problems := list(wrong):
        raise _error(kind, method, "; ".join(problems[:3]))


def _error(kind: Plugin, method: str, problem: str) -> KindError:
    return KindError(
        f"`{method}` of '{kind.kind()}' returned {problem}", hint=f"{place_of(kind, method)}; {_GUIDE}"
    )


def place_of(kind: Plugin, method: str) -> str:
    """File and line of a kind's method, as errors name it."""
    function = inspect.unwrap(getattr(type(kind), method))
    code = getattr(function, "__code__", None)
    if code is None:
        return f"{type(kind).__name__} in {type(kind).__module__}"
    return f"{shown_path(Path(code.co_filename))}:{code.co_firstlineno}"


def _article(value: object) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 20 else "..."
