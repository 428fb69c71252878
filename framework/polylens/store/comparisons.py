"""Comparisons of the network with its controls as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polylens.records import Comparison, Pair
from polylens.store.numbers import number_from_plain, number_to_plain
from polylens.store.plain import from_plain_float, plain_float, read_json, write_json

_FLOATS = ("own", "other", "coverage")
_FILE = "comparisons.json"


def save_comparisons(folder: Path, comparisons: Mapping[str, Mapping[str, Comparison]]) -> None:
    """Writes comparisons, by control and by the name of the number, into a stage's folder."""
    plain = {
        control: {name: _to_plain(comparison) for name, comparison in by_name.items()}
        for control, by_name in comparisons.items()
    }
    write_json(folder / _FILE, plain)


def load_comparisons(folder: Path) -> dict[str, dict[str, Comparison]]:
    """The comparisons that `save_comparisons` wrote."""
    return {
        control: {name: _from_plain(plain) for name, plain in by_name.items()}
        for control, by_name in read_json(folder / _FILE).items()
    }


def _to_plain(comparison: Comparison) -> dict[str, Any]:
    pairs = [
        None if pair is None else {name: plain_float(getattr(pair, name)) for name in _FLOATS}
        for pair in comparison.pairs
    ]
    lead = None if comparison.lead is None else number_to_plain(comparison.lead)
    return {"terms": comparison.terms, "pairs": pairs, "lead": lead, "why": comparison.why}


def _from_plain(plain: dict[str, Any]) -> Comparison:
    return Comparison(
        terms=plain["terms"],
        pairs=tuple(None if pair is None else _pair(pair) for pair in plain["pairs"]),
        lead=None if plain["lead"] is None else number_from_plain(plain["lead"]),
        why=plain["why"],
    )


def _pair(plain: dict[str, Any]) -> Pair:
    floats: dict[str, Any] = {name: from_plain_float(plain[name]) for name in _FLOATS}
    return Pair(**floats)
