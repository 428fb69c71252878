"""Most memory that analyses hold, against rows: `python benchmarks/memory.py [--codes N ...]`.

Rows are made up (`planted.py`), written in the store's own format and read by a memory map, as an analysis
reads them. Every analysis is a fresh process. `own MB` is what it holds itself (RssAnon, looked at every
20 ms) beyond what it held when all was imported; `with file MB` counts the mapped pages of the file as well,
which the system takes back when it needs them. `share` is own over the file.

Trees and k-means are left out above `--costly-up-to`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import own_megabytes, taken_by
from planted import planted

BITS, NUMBERS, CLASSES = 3_072, 1_536, 10
_CHUNK = 50_000
COSTLY = ("hdbscan", "kmeans", "kmeans, standardised")
"""Ways that take long, or memory for every number of a row."""


def make(folder: Path, rows: int, *, codes: bool) -> Path:
    """Writes rows, some at a time; their classes follow the first units."""
    width = BITS // 8 if codes else NUMBERS
    kind = np.uint8 if codes else np.float32
    path = folder / ("packed.npy" if codes else "activations.npy")
    made = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(rows, width))
    for start in range(0, rows, _CHUNK):
        size = min(_CHUNK, rows - start)
        made[start : start + size] = planted(
            size, units=8 * width if codes else width, codes=codes, seed=start
        ).rows
    made.flush()
    return path


def rows_of(path: Path) -> Any:
    """The rows, mapped."""
    from polylens.records import CodeLayer, Codes, CodeScheme, Origins, Rows

    values = np.load(path, mmap_mode="r")
    number = np.arange(len(values), dtype=np.int64)
    scheme = CodeScheme((CodeLayer("units", BITS),), names_polytopes=False, reason="made up")
    return Rows(
        layer="layer",
        origins=Origins(number, np.zeros_like(number), (), tuple(f"row {row}" for row in number)),
        activations=None if path.stem == "packed" else values,
        codes=Codes(values, scheme) if path.stem == "packed" else None,
        targets=number % CLASSES,
        classes=tuple(f"class {number}" for number in range(CLASSES)),
    )


def analysis(kind: str, on: str, **fields: Any) -> Callable[[Any], object]:
    """Runs an analysis, its groundwork first."""
    from polylens.analyses import GROUNDWORK
    from polylens.plugin import load_kind
    from polylens.streams import Streams
    from polylens.work import Work

    made = load_kind("analyses", kind).model_validate({"kind": kind, **({"on": on} if on else {}), **fields})

    def run(rows: Any) -> object:
        ground = made.groundwork()
        upstream = {} if ground is None else {GROUNDWORK: ground.run(rows, Work(Streams(0), {}))}
        return made.run(rows, Work(Streams(0), upstream))

    return run


WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "codes": {
        "code_statistics": {"on": ""},
        "hdbscan": {"on": "code", "subsamples": 0},
        "kmeans": {"on": "code", "clusters": 20, "restarts": 1, "subsamples": 0},
    },
    "activations": {
        "hdbscan": {"on": "activation", "subsamples": 0},
        "kmeans": {"on": "activation", "clusters": 20, "restarts": 1, "subsamples": 0},
        "kmeans, standardised": {
            "on": "activation", "clusters": 20, "restarts": 1, "subsamples": 0, "scale": "standardise",
        },
    },
}  # fmt: skip


def one(part: str, way: str, path: Path, *, rounds: int | None) -> None:
    """Does one way and prints what it took."""
    if rounds is not None:
        from polylens.clustering import moving_centres

        moving_centres._ROUNDS = rounds
    rows = rows_of(path)
    run = analysis(way.partition(",")[0], **WAYS[part][way])
    run(rows.take(np.arange(min(len(rows), 500))))  # imports and compiled kernels are not what is measured
    before = own_megabytes()
    _, taken = taken_by(lambda: run(rows))
    print(json.dumps({**taken, "own": taken["own"] - before}))


def measure(part: str, rows: int, arguments: argparse.Namespace) -> None:
    """All ways on so many rows, a line each."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        path = make(Path(name), rows, codes=part == "codes")
        size = path.stat().st_size / 1e6
        for way in WAYS[part]:
            if arguments.ways and way not in arguments.ways:
                continue
            if way in COSTLY and rows > arguments.costly_up_to:
                print(f"| {part} | {rows:,} | {size:,.0f} | {way} | left out |  |  |  |  |", flush=True)
                continue
            call = [sys.executable, __file__, "--one", part, way, str(path)]
            if arguments.rounds is not None:
                call += ["--rounds", str(arguments.rounds)]
            done = subprocess.run(call, capture_output=True, text=True, check=False)
            if done.returncode:
                print(
                    f"| {part} | {rows:,} | {size:,.0f} | {way} | {done.stderr[-300:]!r} |  |  |  |  |",
                    flush=True,
                )
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            cells = (
                part,
                f"{rows:,}",
                f"{size:,.0f}",
                way,
                f"{found['seconds']:.1f}",
                f"{found['busy']:.1f}",
            )
            cells = (*cells, f"{found['own']:,}", f"{found['all']:,}", f"{found['own'] / size:.2f}")
            print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--codes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--activations", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--ways", nargs="+", help="these analyses only")
    parser.add_argument("--costly-up-to", type=int, default=100_000, help="rows for trees and k-means")
    parser.add_argument(
        "--rounds", type=int, help="of k-means at most; what it holds does not depend on them"
    )
    parser.add_argument("--folder", type=Path, help="where rows are written; else a temporary folder")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one[0], arguments.one[1], Path(arguments.one[2]), rounds=arguments.rounds)
        return
    print("| rows of | rows | file, MB | way | seconds | processor s | own MB | with file MB | share |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for part in ("codes", "activations"):
        for rows in getattr(arguments, part):
            measure(part, rows, arguments)


if __name__ == "__main__":
    main()
