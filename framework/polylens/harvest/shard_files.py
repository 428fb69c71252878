"""Shards on disk: the rows of a fixed range of examples, written whole, named by their checksum."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from polylens.digests import file_sha256
from polylens.harvest.shard import Shard
from polylens.store import file_from_bytes

_NAME = re.compile(r"(\d+)-(\d+)-([0-9a-f]{64})\.safetensors")


@dataclass(frozen=True)
class ShardRows:
    """One take's rows of one shard."""

    values: Shaped[np.ndarray, "rows width"]
    example: Int64[np.ndarray, "rows"]
    position: Int64[np.ndarray, "rows"]
    n_near: int
    n_units: int
    sums: Float64[np.ndarray, "3 units"]
    """Sums over the output of units that a hard code only approximates, if there are such units."""
    contents: Int64[np.ndarray, "examples"]
    """What names the contents of each of the shard's examples."""
    skipped: tuple[tuple[str, str], ...]
    """Id of each example without rows, and why."""


def write_shard(folder: Path, shard: Shard, rows: ShardRows) -> None:
    """Writes one shard into a take's folder, all of it or nothing."""
    from safetensors.numpy import save

    content = save(
        {
            "values": np.ascontiguousarray(rows.values),
            "example": rows.example,
            "position": rows.position,
            "near": np.array([rows.n_near, rows.n_units], dtype=np.int64),
            "sums": rows.sums,
            "contents": rows.contents,
        },
        metadata={"skipped": json.dumps(rows.skipped)},
    )
    name = f"{shard.start:012d}-{shard.stop:012d}-{hashlib.sha256(content).hexdigest()}.safetensors"
    file_from_bytes(folder / name, content)


def read_shard(path: Path) -> ShardRows:
    """The rows of one shard."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        near = file.get_tensor("near")
        return ShardRows(
            values=file.get_tensor("values"),
            example=file.get_tensor("example"),
            position=file.get_tensor("position"),
            n_near=int(near[0]),
            n_units=int(near[1]),
            sums=file.get_tensor("sums"),
            contents=file.get_tensor("contents"),
            skipped=tuple((name, why) for name, why in json.loads(file.metadata()["skipped"])),
        )


def n_rows_of(paths: Iterable[Path]) -> int:
    """Rows of all these shards together, read off their headers."""
    from safetensors import safe_open

    total = 0
    for path in paths:
        with safe_open(path, framework="numpy") as file:
            total += int(file.get_slice("example").get_shape()[0])
    return total


def finished_shards(folder: Path, *, verified: bool) -> dict[Shard, Path]:
    """The shards in a take's folder; with `verified`, those that are not as written are removed first."""
    files: dict[Shard, Path] = {}
    for path in sorted(folder.iterdir()):
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        if verified and file_sha256(path) != name[3]:
            path.unlink()
            continue
        files[Shard(int(name[1]), int(name[2]))] = path
    return files
