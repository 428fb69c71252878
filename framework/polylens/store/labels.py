"""Labels of clusters: JSON for names and numbers, Parquet for tables."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from polylens.records import ClusterLabel, LabelRecord, Labels
from polylens.store.numbers import numbers_from_plain, numbers_to_plain
from polylens.store.plain import from_plain_float, plain_float, read_json, write_json
from polylens.store.tables import load_tables, save_tables

_FLOATS = ("share", "lift", "chance_lift", "p_value")


def save_labels(folder: Path, labels: Labels) -> None:
    """Writes the labels into a stage's folder."""
    plain = {
        "clusters": [_to_plain(cluster) for cluster in labels.clusters],
        "numbers": numbers_to_plain(labels.numbers),
        "tables": save_tables(folder, labels.tables),
        "notes": list(labels.notes),
        "undefined": dict(labels.undefined),
        "written": [each.to_plain() for each in labels.written],
    }
    write_json(folder / "labels.json", plain)


def load_labels(folder: Path) -> Labels:
    """The labels that `save_labels` wrote."""
    plain = read_json(folder / "labels.json")
    return Labels(
        clusters=tuple(_from_plain(cluster) for cluster in plain["clusters"]),
        numbers=numbers_from_plain(plain["numbers"]),
        tables=load_tables(folder, plain["tables"]),
        notes=tuple(plain["notes"]),
        undefined=plain.get("undefined", {}),
        written=tuple(LabelRecord.from_plain(each) for each in plain.get("written", ())),
    )


def _to_plain(cluster: ClusterLabel) -> dict[str, Any]:
    plain = {field.name: getattr(cluster, field.name) for field in fields(cluster)}
    return {
        **plain,
        **{name: plain_float(plain[name]) for name in _FLOATS},
        "above_chance": bool(cluster.above_chance),
    }


def _from_plain(plain: dict[str, Any]) -> ClusterLabel:
    return ClusterLabel(**{**plain, **{name: from_plain_float(plain[name]) for name in _FLOATS}})
