"""From shards to a stage: arrays that can be memory-mapped, and what their rows mean. Memory stays flat."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from polylens.errors import DataError
from polylens.harvest.copies import first_of_copies
from polylens.harvest.explaining import OutputSums, explained_by
from polylens.harvest.resolved import ResolvedTake
from polylens.harvest.shard import Shard
from polylens.harvest.shard_files import n_rows_of, read_shard
from polylens.records import Examples
from polylens.store import ArrayWriter, write_json


def merge_shards(
    folder: Path, resolved: ResolvedTake, shards: Mapping[Shard, Path], *, examples: Examples
) -> None:
    """Streams all shards of a take, in order, into the files of its stage.

    Raises:
        DataError: no example has any row.
    """
    ordered = sorted(shards, key=lambda shard: shard.start)
    paths = [shards[shard] for shard in ordered]
    n_rows = n_rows_of(paths)
    n_near = n_units = 0
    sums = OutputSums(n_parts=len(paths))
    contents = np.zeros(len(examples), dtype=np.int64)
    skipped: list[tuple[str, str]] = []
    with ExitStack() as stack:

        def array(name: str, *shape: int, dtype: Any = np.int64) -> ArrayWriter:
            return stack.enter_context(ArrayWriter(folder / name, shape=(n_rows, *shape), dtype=dtype))

        values = array(resolved.values_name, resolved.width, dtype=resolved.dtype)
        example, position = array("example.npy"), array("position.npy")
        targets = None if examples.targets is None else array("targets.npy")
        for shard, path in zip(ordered, paths, strict=True):
            rows = read_shard(path)
            contents[shard.start : shard.stop] = rows.contents
            values.append(rows.values)
            example.append(rows.example)
            position.append(rows.position)
            if targets is not None and examples.targets is not None:
                targets.append(examples.targets[rows.example].astype(np.int64))
            n_near, n_units = n_near + rows.n_near, n_units + rows.n_units
            sums.add(rows.sums, n_rows=len(rows.example))
            skipped.extend(rows.skipped)
    if n_rows == 0:
        why = f"; the first: {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise DataError(
            f"no example gives a row of layer '{resolved.take.layer}' ({len(skipped)} skipped{why})",
            hint="ask the sampling rule for less",
        )
    meta = _meta(resolved, examples, n_rows, skipped)
    meta["near_boundary_fraction"] = n_near / max(n_units, 1)
    explained = None
    if resolved.selection is not None:
        explained = explained_by(sums, selection=resolved.selection)
    meta["explained"] = None if explained is None else asdict(explained)
    with ArrayWriter(folder / "copy_of.npy", shape=(len(examples),), dtype=np.int64) as writer:
        writer.append(first_of_copies(contents, examples.targets))
    write_json(folder / "meta.json", meta)


def _meta(
    resolved: ResolvedTake, examples: Examples, n_rows: int, skipped: list[tuple[str, str]]
) -> dict[str, Any]:
    scheme = None if resolved.selection is None else asdict(resolved.selection.scheme)
    return {
        "layer": resolved.layer,
        "part": resolved.take.part,
        "rows": n_rows,
        "width": resolved.width,
        "grid": list(resolved.grid),
        "scheme": scheme,
        "skipped": skipped,
        "classes": list(examples.classes),
        "example_ids": list(examples.ids),
    }
