"""Exact trees and k-means of activations beside what they would cost otherwise.

    python benchmarks/activations.py                          # 40,000 made-up rows of 1,536
    python benchmarks/activations.py --rows rows.npy --take 60000 --turns 1

Trees: with rows turned to principal components and without (`polylens.clustering.turning`), to the last bit
the same. k-means: beside scikit-learn's from one start each, with the sums of squares. Rows are made up in
groups with a spectrum that falls like 1 / component^0.8, or come from a float32 file such as the
`activations.npy` of a stored harvest. Every clustering is a fresh process, in turn (A B A B); seconds of
the processor are those of all threads together. The project's own environment, and nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measuring import peak_megabytes

WAYS = ("turned", "as they are", "k-means", "k-means, scikit-learn")


def made_up(rows: int, width: int) -> np.ndarray:
    """Rows of many groups whose spectrum falls."""
    generator = np.random.default_rng(0)
    scale = (np.arange(width) + 1.0) ** -0.8
    centres = generator.normal(size=(rows // 100, width)) * scale
    near = centres[generator.integers(0, len(centres), rows)]
    return (near + generator.normal(size=(rows, width)) * scale).astype(np.float32)


def tree(rows: np.ndarray, *, turned: bool) -> dict[str, Any]:
    """The tree's digest, with the seconds of its passes."""
    from polylens.clustering import dense_space, hierarchy, passes

    if not turned:
        dense_space.turn_rows = lambda *given, **named: None
    phases: dict[str, float] = {}
    for name in ("nearest", "least"):
        setattr(passes.TiledPasses, name, _timed(getattr(passes.TiledPasses, name), name, phases))
    found = hierarchy(rows, metric="euclidean", min_samples=5, device="cpu")
    parts = (found.order, found.heights, found.core)
    return {"result": hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:12]} | phases


def _timed(work: Callable[..., Any], name: str, phases: dict[str, float]) -> Callable[..., Any]:
    def timed(*given: Any) -> Any:
        start = time.process_time()
        try:
            return work(*given)
        finally:
            phases[name] = phases.get(name, 0.0) + time.process_time() - start

    return timed


def means(rows: np.ndarray, *, clusters: int, ours: bool) -> dict[str, Any]:
    """The sum of squared distances to the mean of the own cluster."""
    if ours:
        from polylens.clustering import kmeans
        from polylens.streams import Streams

        found = kmeans(rows, clusters=clusters, streams=Streams(0), restarts=1, exemplars=False, device="cpu")
        labels = found.labels
    else:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):  # else the same numbers are summed in another order each time
            labels = KMeans(clusters, n_init=1, random_state=0).fit(rows).labels_
    groups = (rows[labels == cluster].astype(np.float64) for cluster in range(clusters))
    return {"result": f"{sum(float(((group - group.mean(0)) ** 2).sum()) for group in groups):.6g}"}


def work(job: dict[str, Any]) -> dict[str, Any]:
    """One way in this process; compiled code is loaded before the clock starts."""
    rows = np.load(job["file"])
    for first in (True, False):
        some = rows[:600] if first else rows
        clusters = 3 if first else job["clusters"]
        wall, processor = time.perf_counter(), time.process_time()
        if job["way"].startswith("k-means"):
            found = means(some, clusters=clusters, ours=job["way"] == "k-means")
        else:
            found = tree(some, turned=job["way"] == "turned")
    return found | {
        "seconds": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "peak": peak_megabytes(),
    }


def main() -> None:
    """Measures in turn and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=Path, help="a float32 file of NumPy; made-up rows without it")
    parser.add_argument("--take", type=int, default=40_000, help="how many rows, drawn evenly")
    parser.add_argument("--clusters", type=int, default=300)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(work(json.loads(arguments.job))))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npy"
        rows = made_up(arguments.take, 1536) if arguments.rows is None else np.load(arguments.rows, "r")
        np.save(file, rows[np.linspace(0, len(rows) - 1, min(arguments.take, len(rows))).astype(np.int64)])
        answers: dict[str, list[dict[str, Any]]] = {way: [] for way in arguments.ways}
        for _ in range(arguments.turns):
            for way in arguments.ways:
                job = json.dumps({"way": way, "file": str(file), "clusters": arguments.clusters})
                ended = subprocess.run(
                    [sys.executable, __file__, "--job", job], capture_output=True, text=True, check=True
                )
                answers[way].append(json.loads(ended.stdout.splitlines()[-1]))
    trees = {answers[way][0]["result"] for way in WAYS[:2] if way in answers}
    assert len(trees) <= 1, f"other trees: {trees}"
    print("| way | seconds | processor s | of which passes | peak MB | tree, or sum of squares |")
    print("| --- | --- | --- | --- | --- | --- |")
    for way, found in answers.items():
        middle = {key: median(one[key] for one in found) for key in ("seconds", "processor", "peak")}
        passes = " and ".join(f"{found[0][key]:.1f}" for key in ("nearest", "least") if key in found[0])
        print(
            f"| {way} | {middle['seconds']:.1f} | {middle['processor']:.1f} | {passes} "
            f"| {middle['peak']:,.0f} | {found[0]['result']} |"
        )


if __name__ == "__main__":
    main()
