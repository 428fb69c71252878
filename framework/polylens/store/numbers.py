"""Measured numbers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polylens.records import Number
from polylens.store.plain import from_plain_float, plain_float, read_json, write_json

_FLOATS = ("value", "low", "high", "chance")
_TEXTS = ("interval", "chance_is", "unit", "range_is")


def save_number(folder: Path, number: Number) -> None:
    """Writes one number into a stage's folder."""
    write_json(folder / "number.json", number_to_plain(number))


def load_number(folder: Path) -> Number:
    """The number that `save_number` wrote."""
    return number_from_plain(read_json(folder / "number.json"))


def numbers_to_plain(numbers: Mapping[str, Number]) -> dict[str, Any]:
    """A map of numbers as plain data."""
    return {name: number_to_plain(number) for name, number in numbers.items()}


def numbers_from_plain(plain: Mapping[str, Any]) -> dict[str, Number]:
    """The numbers that `numbers_to_plain` wrote."""
    return {name: number_from_plain(item) for name, item in plain.items()}


def number_to_plain(number: Number) -> dict[str, Any]:
    """One number as plain data, with NaN and infinities spelled out."""
    floats = {name: plain_float(getattr(number, name)) for name in _FLOATS}
    return {**floats, **{name: getattr(number, name) for name in _TEXTS}}


def number_from_plain(plain: Mapping[str, Any]) -> Number:
    """The number that `number_to_plain` wrote."""
    floats: dict[str, Any] = {name: from_plain_float(plain[name]) for name in _FLOATS}
    # What was stored before a number had a kind of range has the default's.
    return Number(**floats, **{name: plain[name] for name in _TEXTS if name in plain})
