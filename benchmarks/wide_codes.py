"""Codes of whole examples at the size of an ImageNet network: memory and rate of all that compares them.

    python benchmarks/wide_codes.py                        # 300 and 1,000 rows, and peers at 24
    python benchmarks/wide_codes.py --rows 300 1000 5000   # needs 8 GB of disk, and of memory to be cached

Codes are made up: those of ten classes with an eighth of each class's bits changed, in the layers of
MobileNetV2 at 224 x 224 (6.1 million units with two kinks, 1.5 MB a row), written in the store's own format
and read from there by a memory map, as an analysis reads them. Every way is a fresh process.

Memory is told twice. `own MB` is what a process holds itself and would need at least (RssAnon, looked at
every 20 ms); `with file MB` counts the pages of the mapped file as well, which the system takes back when it
needs them.
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
from measuring import taken_by

CLASSES = 10
PEERS = 24
"""Rows that still fit a peer's memory, unpacked to one byte or four a bit."""


def units() -> list[int]:
    """Units of each ReLU6 of MobileNetV2 at 224 x 224."""
    found, side = [32 * 112**2], 112
    channels = 32
    for expansion, width, repeats, stride in (
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ):
        for repeat in range(repeats):
            hidden = channels * expansion
            if expansion > 1:
                found.append(hidden * side**2)
            side //= stride if repeat == 0 else 1
            found.append(hidden * side**2)
            channels = width
    return [*found, 1280 * side**2]


def scheme() -> Any:
    from polylens.records import CodeLayer, CodeScheme

    layers = tuple(CodeLayer(f"relu6.{number}", size, 2) for number, size in enumerate(units()))
    return CodeScheme(layers, names_polytopes=True, reason="made up")


def make(folder: Path, rows: int) -> None:
    """Writes codes, classes and small activations."""
    generator = np.random.default_rng(0)
    width = scheme().n_bytes
    centres = generator.integers(0, 256, (CLASSES, width), dtype=np.uint8)
    packed = np.lib.format.open_memmap(folder / "packed.npy", mode="w+", dtype=np.uint8, shape=(rows, width))
    for row in range(rows):
        noise = np.frombuffer(generator.bytes(3 * width), dtype=np.uint8).reshape(3, width)
        packed[row] = centres[row % CLASSES] ^ (noise[0] & noise[1] & noise[2])
    packed.flush()
    del packed
    activations = generator.standard_normal((rows, 64), dtype=np.float32)
    activations[np.arange(rows), np.arange(rows) % CLASSES] += 4
    np.save(folder / "activations.npy", activations)


def rows_of(folder: Path) -> Any:
    from polylens.records import Codes, Origins, Rows

    packed = np.load(folder / "packed.npy", mmap_mode="r")
    number = np.arange(len(packed), dtype=np.int64)
    origins = Origins(number, np.zeros_like(number), (), tuple(f"row {row}" for row in number))
    return Rows(
        layer="input",
        origins=origins,
        activations=np.load(folder / "activations.npy", mmap_mode="r"),
        codes=Codes(packed, scheme(), near_boundary_fraction=0.0),
        targets=number % CLASSES,
        classes=tuple(f"class {number}" for number in range(CLASSES)),
    )


def work_of(folder: Path) -> Any:
    from polylens.progress import Silent
    from polylens.streams import Streams
    from polylens.work import Work

    return Work(streams=Streams(0), upstream={}, progress=Silent())


def statistics(folder: Path) -> dict[str, float]:
    from polylens.analyses.code_statistics import CodeStatistics

    return _numbers(CodeStatistics().run(rows_of(folder), work_of(folder)))


def density(folder: Path) -> dict[str, float]:
    from polylens.analyses.pair_density import PairDensity

    return _numbers(PairDensity().run(rows_of(folder), work_of(folder)))


def clusters(folder: Path) -> dict[str, float]:
    """HDBSCAN of all rows and of ten subsamples, with medoids, as an experiment has it."""
    from dataclasses import replace

    from polylens.analyses import GROUNDWORK
    from polylens.analyses.hdbscan import Hdbscan
    from polylens.analyses.spanning_tree import SpanningTree

    rows, work = rows_of(folder), work_of(folder)
    tree = SpanningTree(on="code", min_samples=5, subsamples=10).run(rows, work)
    found = Hdbscan(on="code", min_samples=5).run(rows, replace(work, upstream={GROUNDWORK: tree}))
    assert found.partition is not None
    by_class = [np.unique(rows.targets[found.partition.labels == cluster]) for cluster in range(CLASSES)]
    assert found.partition.n_clusters == CLASSES, found.partition.n_clusters
    assert all(len(classes) == 1 for classes in by_class)
    return _numbers(found)


def all_pairs(folder: Path) -> dict[str, float]:
    """Every two of the first rows, by the engine's counts."""
    from polylens.clustering.pair_counts import PairCounts

    packed = np.load(folder / "packed.npy", mmap_mode="r")[:PEERS]
    return {"sum": float(PairCounts.of(packed).counts.sum(dtype=np.int64)) / 2}


def all_pairs_scipy(folder: Path) -> dict[str, float]:
    from scipy.spatial.distance import pdist

    packed = np.load(folder / "packed.npy", mmap_mode="r")[:PEERS]
    bits = np.unpackbits(packed, axis=1).view(np.bool_)
    return {"sum": float(np.round(pdist(bits, "hamming") * bits.shape[1]).sum())}


def all_pairs_torch(folder: Path) -> dict[str, float]:
    import torch

    packed = np.load(folder / "packed.npy", mmap_mode="r")[:PEERS]
    bits = torch.from_numpy(np.unpackbits(packed, axis=1)).float()
    return {"sum": float(torch.cdist(bits, bits, p=1).double().sum()) / 2}


def _numbers(findings: Any) -> dict[str, float]:
    return {name: number.value for name, number in findings.numbers.items()}


WAYS: dict[str, Callable[[Path], dict[str, float]]] = {
    "code_statistics": statistics,
    "pair_density": density,
    "hdbscan": clusters,
}
PEER_WAYS: dict[str, Callable[[Path], dict[str, float]]] = {
    "polylens": all_pairs,
    "scipy": all_pairs_scipy,
    "torch.cdist": all_pairs_torch,
}


def one(name: str, folder: Path) -> None:
    """Does one way and prints what it took."""
    numbers, taken = taken_by(lambda: (WAYS | PEER_WAYS)[name](folder))
    print(json.dumps({**taken, "numbers": numbers}))


def measured(name: str, folder: Path) -> dict[str, Any]:
    """One way in a process of its own."""
    call = [sys.executable, __file__, "--one", name, str(folder)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def line(rows: int, name: str, found: dict[str, Any], codes: float) -> str:
    cells = (f"{rows:,}", f"{codes:,.0f}", name, f"{found['seconds']:.1f}", f"{found['busy']:.1f}")
    return "| " + " | ".join((*cells, f"{found['own']:,}", f"{found['all']:,}")) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--folder", type=Path, help="where the codes are written; else a temporary folder")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]))
        return
    print("| rows | codes, MB | way | seconds | processor s | own MB | with file MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number, rows in enumerate(options.rows):
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            folder = Path(name)
            make(folder, rows)
            size = (folder / "packed.npy").stat().st_size / 1e6
            if number == 0:
                peers = {name: measured(name, folder) for name in PEER_WAYS}
                assert len({found["numbers"]["sum"] for found in peers.values()}) == 1, peers
                for name, found in peers.items():
                    print(line(PEERS, f"all pairs, {name}", found, size * PEERS / rows), flush=True)
            for name in options.ways:
                print(line(rows, name, measured(name, folder), size), flush=True)


if __name__ == "__main__":
    main()
