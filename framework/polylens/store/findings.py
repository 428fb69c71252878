"""Findings of an analysis: JSON for numbers and notes, Parquet for tables, `.npy` for the partition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polylens.records import Alternative, Findings, Hierarchy, Partition, Subhierarchy
from polylens.store.arrays import load_array, save_array
from polylens.store.numbers import numbers_from_plain, numbers_to_plain
from polylens.store.plain import read_json, write_json
from polylens.store.tables import load_tables, save_tables

_MAYBE = ("persistence", "lifetimes")
"""Arrays of a partition that not every method gives."""


def save_findings(folder: Path, findings: Findings) -> None:
    """Writes the findings into a stage's folder."""
    partition = None
    if findings.partition is not None:
        (folder / "partition").mkdir()
        partition = _save_partition(folder / "partition", findings.partition)
    plain = {
        "numbers": numbers_to_plain(findings.numbers),
        "tables": save_tables(folder, findings.tables),
        "partition": partition,
        "hierarchy": _save_hierarchy(folder, "hierarchy", findings.hierarchy),
        "subhierarchies": [
            _save_subhierarchy(folder, f"subhierarchy-{index:03d}", sub)
            for index, sub in enumerate(findings.subhierarchies)
        ],
        "notes": list(findings.notes),
        "undefined": dict(findings.undefined),
    }
    write_json(folder / "findings.json", plain)


def load_findings(folder: Path) -> Findings:
    """The findings that `save_findings` wrote."""
    plain = read_json(folder / "findings.json")
    partition = plain["partition"]
    return Findings(
        numbers=numbers_from_plain(plain["numbers"]),
        tables=load_tables(folder, plain["tables"]),
        partition=None if partition is None else _load_partition(folder / "partition", partition),
        hierarchy=_load_hierarchy(folder, "hierarchy", plain["hierarchy"]) if plain["hierarchy"] else None,
        subhierarchies=tuple(
            _load_subhierarchy(folder, f"subhierarchy-{index:03d}", sub)
            for index, sub in enumerate(plain["subhierarchies"])
        ),
        notes=tuple(plain["notes"]),
        undefined=plain.get("undefined", {}),
    )


def _save_partition(folder: Path, partition: Partition) -> dict[str, Any]:
    save_array(folder / "labels.npy", partition.labels)
    save_array(folder / "strength.npy", partition.strength)
    save_array(folder / "exemplars.npy", partition.exemplars)
    for name in _MAYBE:
        if (values := getattr(partition, name)) is not None:
            save_array(folder / f"{name}.npy", values)
    for index, alternative in enumerate(partition.alternatives):
        save_array(folder / f"alternative-{index:03d}-rows.npy", alternative.rows)
        save_array(folder / f"alternative-{index:03d}-labels.npy", alternative.labels)
    return {
        "method": partition.method,
        "space": partition.space,
        "has": [name for name in _MAYBE if getattr(partition, name) is not None],
        "hierarchy": _save_hierarchy(folder, "hierarchy", partition.hierarchy),
        "alternatives": [{"name": item.name, "value": item.value} for item in partition.alternatives],
    }


def _load_partition(folder: Path, plain: dict[str, Any]) -> Partition:
    return Partition(
        labels=load_array(folder / "labels.npy"),
        strength=load_array(folder / "strength.npy"),
        exemplars=load_array(folder / "exemplars.npy"),
        method=plain["method"],
        space=plain["space"],
        hierarchy=_load_hierarchy(folder, "hierarchy", plain["hierarchy"]) if plain["hierarchy"] else None,
        alternatives=tuple(
            Alternative(
                name=item["name"],
                value=item["value"],
                rows=load_array(folder / f"alternative-{index:03d}-rows.npy"),
                labels=load_array(folder / f"alternative-{index:03d}-labels.npy"),
            )
            for index, item in enumerate(plain["alternatives"])
        ),
        **{name: load_array(folder / f"{name}.npy") for name in plain["has"]},
    )


def _save_hierarchy(folder: Path, name: str, hierarchy: Hierarchy | None) -> dict[str, Any] | None:
    if hierarchy is None:
        return None
    save_array(folder / f"{name}-order.npy", hierarchy.order)
    save_array(folder / f"{name}-heights.npy", hierarchy.heights)
    save_array(folder / f"{name}-core.npy", hierarchy.core)
    return {"metric": hierarchy.metric, "min_samples": hierarchy.min_samples, "bits": hierarchy.bits}


def _load_hierarchy(folder: Path, name: str, plain: dict[str, Any]) -> Hierarchy:
    return Hierarchy(
        order=load_array(folder / f"{name}-order.npy"),
        heights=load_array(folder / f"{name}-heights.npy"),
        core=load_array(folder / f"{name}-core.npy"),
        metric=plain["metric"],
        min_samples=plain["min_samples"],
        bits=plain["bits"],
    )


def _save_subhierarchy(folder: Path, name: str, sub: Subhierarchy) -> dict[str, Any] | None:
    save_array(folder / f"{name}-rows.npy", sub.rows)
    return _save_hierarchy(folder, name, sub.hierarchy)


def _load_subhierarchy(folder: Path, name: str, plain: dict[str, Any]) -> Subhierarchy:
    return Subhierarchy(load_array(folder / f"{name}-rows.npy"), _load_hierarchy(folder, name, plain))
