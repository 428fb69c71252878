"""`sweep`: the product of lists of values, and of lists that go together under `zip`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from polylens.digests import digest
from polylens.errors import Place, Problem, nearest
from polylens.spec.complaints import in_plain_words
from polylens.spec.experiment import KEYS
from polylens.spec.ledger import Ledger, Tree, Value, items_of
from polylens.spec.overrides import Assignment

_NOT_SWEPT = ("version", "extends", "about", "claim", "sweep")
_MOST = 10_000


@dataclass(frozen=True)
class Axis:
    """Keys that change together, and the values they take one after the other."""

    keys: tuple[str, ...]
    rows: tuple[tuple[Assignment, ...], ...]


@dataclass(frozen=True)
class Point:
    """One choice of a value for every swept key."""

    assignments: tuple[Assignment, ...]
    keys: tuple[str, ...]


def axes_of(value: Value | None, *, spec: Tree, ledger: Ledger) -> tuple[tuple[Axis, ...], list[Problem]]:
    """The axes of a `sweep`; none where there is no sweep.

    Args:
        value: what stands under `sweep`.
        spec: the rest of the spec: only what it states can be swept.
        ledger: the ledger of both.
    """
    if value is None or (isinstance(value, int) and ledger[value].value is None):
        return (), []
    return _Reader(spec, ledger).axes(value)


def points_of(axes: Sequence[Axis]) -> Iterator[Point]:
    """Every point of the product; without axes one point that changes nothing."""
    for rows in itertools.product(*(axis.rows for axis in axes)):
        yield Point(
            assignments=tuple(itertools.chain.from_iterable(rows)),
            keys=tuple(key for axis in axes for key in axis.keys),
        )


class _Reader:
    def __init__(self, spec: Tree, ledger: Ledger) -> None:
        self.spec = spec
        self.ledger = ledger
        self.problems: list[Problem] = []

    def axes(self, value: Value) -> tuple[tuple[Axis, ...], list[Problem]]:
        place = self.ledger.place(value)
        if isinstance(value, int) or self.ledger.shape(value) != "map":
            given = in_plain_words(self.ledger.plain(value))
            note = "for example sweep: {seed: [0, 1, 2]}"
            self._refuse(f"sweep must be a map from dotted keys to lists, not {given}", place, "sweep", note)
            return (), self.problems
        axes = []
        for key, item in items_of(value):
            if key == "zip":
                axes += self._zipped_axes(item)
            else:
                axes += self._axis([(key, item)], path=f"sweep.{key}")
        if not value or not any(True for _ in items_of(value)):
            self._refuse("the sweep is empty: there is nothing to sweep over", place, "sweep")
        self._refuse_repeated(axes, place)
        count = math.prod(len(axis.rows) for axis in axes)
        if count > _MOST:
            self._refuse(f"the sweep makes {count:,} children; {_MOST:,} is the most", place, "sweep")
        return (() if self.problems else tuple(axes)), self.problems

    def _zipped_axes(self, value: Value) -> list[Axis]:
        if isinstance(value, int) or self.ledger.shape(value) != "map" or not list(items_of(value)):
            note = "for example zip: {layer: [hidden.1, hidden.2], seed: [0, 1]}"
            message = "sweep.zip must be a map from dotted keys to lists of one length"
            self._refuse(message, self.ledger.place(value), "sweep.zip", note)
            return []
        return self._axis(list(items_of(value)), path="sweep.zip")

    def _axis(self, entries: Sequence[tuple[str, Value]], *, path: str) -> list[Axis]:
        lists = {key: self._values(key, value) for key, value in entries}
        lengths = {key: len(values) for key, values in lists.items() if values}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            place = self.ledger.place(entries[0][1], key=True)
            self._refuse("the lists under zip must be of one length", place, path, said)
            return []
        if not all(lists.values()):
            return []
        rows = tuple(zip(*lists.values(), strict=True))
        if repeated := self._first_repeated(rows):
            self._refuse("the same value is given twice", repeated, path)
        return [Axis(tuple(lists), rows)]

    def _values(self, key: str, value: Value) -> tuple[Assignment, ...]:
        place = self.ledger.place(value, key=True)
        path = f"sweep.{key}"
        first = key.partition(".")[0]
        if first in _NOT_SWEPT or first not in self.spec:
            self._cannot_sweep(key, first, place, path)
        if isinstance(value, int) or self.ledger.shape(value) != "list":
            given = in_plain_words(self.ledger.plain(value))
            self._refuse(f"{path} must be a list of values, not {given}", self.ledger.place(value), path)
            return ()
        items = [item for _, item in items_of(value)]
        if not items:
            message = f"{path} is an empty list: there is nothing to sweep over"
            self._refuse(message, self.ledger.place(value), path)
        parts = tuple(key.replace("[", ".").replace("]", "").split("."))
        if place is None or not all(parts):
            self._refuse(f"'{key}' is no dotted key", place, path)
            return ()
        last = replace(place, column=place.column + len(key) - len(parts[-1]), length=len(parts[-1]))
        keys = (place,) * (len(parts) - 1) + (last,)
        return tuple(Assignment(parts, keys, self.ledger.with_key(item, last)) for item in items)

    def _cannot_sweep(self, key: str, first: str, place: Place | None, path: str) -> None:
        if first in _NOT_SWEPT:
            self._refuse(f"'{first}' cannot be swept", place, path)
            return
        known = [name for name in KEYS if name in self.spec and name not in _NOT_SWEPT]
        near = nearest(first, known)
        suggestion = None if near is None else near + key[len(first) :]
        note = f"a sweep varies what the spec states: {', '.join(known)}"
        self._refuse(f"'{first}' is swept, but the spec has no such key", place, path, note, near=suggestion)

    def _refuse_repeated(self, axes: Sequence[Axis], place: Place | None) -> None:
        keys = [key for axis in axes for key in axis.keys]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            self._refuse(f"'{key}' is swept twice", place, "sweep")

    def _first_repeated(self, rows: Sequence[tuple[Assignment, ...]]) -> Place | None:
        seen: set[str] = set()
        for row in rows:
            name = digest([self.ledger.plain(assignment.value) for assignment in row])
            if name in seen:
                return self.ledger.place(row[0].value)
            seen.add(name)
        return None

    def _refuse(
        self, message: str, place: Place | None, path: str, *notes: str, near: str | None = None
    ) -> None:
        self.problems.append(Problem(message, place, path, near, notes))
