"""Findings of an analysis: JSON for numbers and notes, Parquet for tables, `.npy` for the partition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polylens.records import Alternative, Findings, Partition
from polylens.store.arrays import load_array, save_array
from polylens.store.numbers import numbers_from_plain, numbers_to_plain
from polylens.store.plain import read_json, write_json
from polylens.store.tables import load_tables, save_tables


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
        "notes": list(findings.notes),
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
        notes=tuple(plain["notes"]),
    )


def _save_partition(folder: Path, partition: Partition) -> dict[str, Any]:
    save_array(folder / "labels.npy", partition.labels)
    save_array(folder / "strength.npy", partition.strength)
    save_array(folder / "exemplars.npy", partition.exemplars)
    if partition.merges is not None:
        save_array(folder / "merges.npy", partition.merges)
    for index, alternative in enumerate(partition.alternatives):
        save_array(folder / f"alternative-{index:03d}-rows.npy", alternative.rows)
        save_array(folder / f"alternative-{index:03d}-labels.npy", alternative.labels)
    return {
        "method": partition.method,
        "space": partition.space,
        "has_merges": partition.merges is not None,
        "alternatives": [{"name": item.name, "value": item.value} for item in partition.alternatives],
    }


def _load_partition(folder: Path, plain: dict[str, Any]) -> Partition:
    return Partition(
        labels=load_array(folder / "labels.npy"),
        strength=load_array(folder / "strength.npy"),
        exemplars=load_array(folder / "exemplars.npy"),
        method=plain["method"],
        space=plain["space"],
        merges=load_array(folder / "merges.npy") if plain["has_merges"] else None,
        alternatives=tuple(
            Alternative(
                name=item["name"],
                value=item["value"],
                rows=load_array(folder / f"alternative-{index:03d}-rows.npy"),
                labels=load_array(folder / f"alternative-{index:03d}-labels.npy"),
            )
            for index, item in enumerate(plain["alternatives"])
        ),
    )
