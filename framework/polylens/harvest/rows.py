"""Stored rows, memory-mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from polylens.errors import UsageError
from polylens.harvest.take import STAGE
from polylens.records import CodeLayer, Codes, CodeScheme, Explained, Origins, Rows, Skipped
from polylens.store import Store, load_array, read_json


def load_rows(store: Store, *, activations: str | None = None, codes: str | None = None) -> Rows:
    """The rows of one or two harvest stages; their values stay on disk until they are touched.

    Args:
        store: where they lie.
        activations: digest of the stage with the activations; None leaves them out.
        codes: digest of the stage with the codes; None leaves them out.

    Raises:
        StoreError: a stage is missing or damaged.
        UsageError: neither is asked for, or the two do not describe the same rows.
    """
    folders = [None if digest is None else store.open(STAGE, digest) for digest in (activations, codes)]
    parts = [_Part(folder) for folder in folders if folder is not None]
    if not parts:
        raise UsageError("rows of what? name the activations, the codes or both")
    first = parts[0]
    if not all(part.describes_rows_of(first) for part in parts[1:]):
        raise UsageError(
            f"activations and code of layer '{first.meta['layer']}' have different rows",
            hint="a code with 'positions: all' has one row per example: take the layer's whole examples too",
        )
    return Rows(
        layer=first.meta["layer"],
        origins=first.origins(),
        activations=None if folders[0] is None else load_array(folders[0] / "activations.npy", mapped=True),
        codes=None if folders[1] is None else _codes(folders[1]),
        targets=first.targets(),
        classes=tuple(first.meta["classes"]),
    )


def load_skipped(store: Store, digest: str) -> tuple[Skipped, ...]:
    """The examples of which a harvest stage has no row, and why.

    Raises:
        StoreError: the stage is missing or damaged.
    """
    meta = read_json(store.open(STAGE, digest) / "meta.json")
    return tuple(Skipped(name, why) for name, why in meta["skipped"])


class _Part:
    """What the rows of one stage are, without their values."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta: dict[str, Any] = read_json(folder / "meta.json")
        self.example = load_array(folder / "example.npy", mapped=True)
        self.position = load_array(folder / "position.npy", mapped=True)

    def describes_rows_of(self, other: _Part) -> bool:
        return (
            self.meta["example_ids"] == other.meta["example_ids"]
            and self.meta["grid"] == other.meta["grid"]
            and np.array_equal(self.example, other.example)
            and np.array_equal(self.position, other.position)
        )

    def origins(self) -> Origins:
        grid, ids = tuple(self.meta["grid"]), tuple(self.meta["example_ids"])
        copy_of = load_array(self.folder / "copy_of.npy", mapped=True)
        return Origins(
            example=self.example, position=self.position, grid=grid, example_ids=ids, copy_of=copy_of
        )

    def targets(self) -> np.ndarray | None:
        path = self.folder / "targets.npy"
        return load_array(path, mapped=True) if path.is_file() else None


def _with_limits(plain: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Explained` with its limits as pairs: JSON gives them as lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}


def _codes(folder: Path) -> Codes:
    meta = read_json(folder / "meta.json")
    plain = meta["scheme"]
    scheme = CodeScheme(**{**plain, "layers": tuple(CodeLayer(**layer) for layer in plain["layers"])})
    return Codes(
        values=load_array(folder / ("graded.npy" if scheme.is_graded else "packed.npy"), mapped=True),
        scheme=scheme,
        near_boundary_fraction=meta["near_boundary_fraction"],
        explained=None if meta["explained"] is None else Explained(**_with_limits(meta["explained"])),
    )
