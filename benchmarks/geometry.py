"""Polytopes along segments and in planes: `python benchmarks/geometry.py [--quick] [--only NAME]`.

Exact crossings beside one forward pass over what they find, and beside dense sampling; slices beside the
public packages that list a network's polytopes and beside plain NumPy; pair densities beside a loop. An
environment of its own (see `own_environment.py`). Results are asserted to be equal; ways run in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from geometry_tables import head, row, spread
from own_environment import enter

WORKER = Path(__file__).with_name("geometry_slices.py")
WAYS = ("polylens", "plain", "affinitree", "relucent")
WIDTHS = (16, 64, 256)
STATED = {64: (2_112, 0.13), 256: (43_066, 13.6)}
"""Cells and seconds of the public research code relu_edge_subdivision, which no package index has, as
measured on two cores on slices of networks of these widths; its cells are also cut by the logits' signs."""
LIBRARIES = ("numpy", "numba", "torch", "affinitree", "relucent")
WORDS = {
    "polylens": "polylens, with certificate and decision boundary",
    "plain": "polygon by polygon with NumPy",
    "forward": "one forward pass over the vertices",
}
PAIRS, UNITS, ROWS = 20_000, (3_072, 3_072, 3_072), 4_000


def slices(*, turns: int, limit: float, widths: tuple[int, ...]) -> None:
    """G3: the same squares by every way, each in a process of its own."""
    import torch
    from geometry_networks import plane_network

    print("\n### Slices through three test images, hidden layers 3 x width")
    with tempfile.TemporaryDirectory() as folder:
        for width in widths:
            file = Path(folder) / f"{width}.pt"
            torch.save(plane_network(width), file)
            runs: dict[str, list[dict[str, Any]]] = {}
            slow: set[str] = set()
            vertices = 1
            for turn in range(turns):
                for way in (*WAYS, "forward"):
                    # What takes minutes is done once.
                    if way in slow or (turn and runs[way][0]["seconds"] > 60):
                        continue
                    done = _run(way, file, vertices, limit)
                    if done is None:
                        slow.add(way)
                        continue
                    runs.setdefault(way, []).append(done)
                    if way == "polylens":
                        vertices = done["vertices"]
            _check(runs)
            _table(width, runs, slow, limit)


def _run(way: str, file: Path, vertices: int, limit: float) -> dict[str, Any] | None:
    command = [sys.executable, str(WORKER), way, str(file), str(vertices)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _check(runs: dict[str, list[dict[str, Any]]]) -> None:
    ours = runs["polylens"][0]
    for way, found in runs.items():
        if way == "forward":
            continue
        assert found[0]["cells"] == ours["cells"], (way, found[0]["cells"], ours["cells"])
        if found[0]["sums"] is not None:
            differences = [abs(a - b) for a, b in zip(found[0]["sums"], ours["sums"], strict=True)]
            assert max(differences) < 1e-9, (way, max(differences))


def _table(width: int, runs: dict[str, list[dict[str, Any]]], slow: set[str], limit: float) -> None:
    ours = median(run["seconds"] for run in runs["polylens"])
    cells = runs["polylens"][0]["cells"]
    print(f"\n3 x {width}: {cells:,} cells, {runs['polylens'][0]['vertices']:,} vertices\n")
    head("way", "seconds", "ratio to polylens", "cells/s", "peak MB")
    for way, found in runs.items():
        times = [run["seconds"] for run in found]
        rate = "" if way == "forward" else f"{cells / median(times):,.0f}"
        peak = max(run["peak"] for run in found)
        row(WORDS.get(way, way), spread(times), f"{median(times) / ours:.3g}", rate, peak)
    for way in slow:
        row(way, f"over {limit:.0f}", f"over {limit / ours:.0f}", f"under {cells / limit:,.0f}", "")
    if width in STATED:
        stated, seconds = STATED[width]
        ratio = (seconds / stated) / (ours / cells)
        name = f"relu_edge_subdivision, as stated, {stated:,} cells on two cores"
        row(name, seconds, f"{ratio:.3g} for a cell", f"{stated / seconds:,.0f}", "")


def pair_densities(*, turns: int) -> None:
    """G4: code distances of 20,000 pairs in one packed pass, beside a loop over the pairs."""
    import numpy as np
    from measuring import alternated

    from polylens.records import CodeLayer, Codes, CodeScheme
    from polylens.statistics import Pairs, code_distances

    random = np.random.default_rng(0)
    bits = [random.random((ROWS, units)) < 0.5 for units in UNITS]
    layers = tuple(CodeLayer(f"layer {number}", units) for number, units in enumerate(UNITS))
    scheme = CodeScheme(layers, names_polytopes=False, reason="random bits")
    codes = Codes(np.concatenate([np.packbits(part, axis=1) for part in bits], axis=1), scheme)
    pairs = Pairs(random.integers(0, ROWS, PAIRS), random.integers(0, ROWS, PAIRS))

    def loop() -> np.ndarray:
        found = np.empty((PAIRS, len(UNITS)))
        for pair, (one, other) in enumerate(zip(pairs.left, pairs.right, strict=True)):
            for layer, part in enumerate(bits):
                found[pair, layer] = (part[one] != part[other]).mean()
        return found

    np.testing.assert_array_equal(loop(), code_distances(codes, pairs=pairs))
    times = alternated({"polylens": lambda: code_distances(codes, pairs=pairs), "loop": loop}, turns=turns)
    ours, plain = median(times["polylens"]), median(times["loop"])
    print(f"\n### Code distances of {PAIRS:,} pairs, three layers of 3,072 bits\n")
    head("way", "seconds", "ratio to polylens", "pairs/s")
    row("polylens", spread(times["polylens"]), 1, f"{PAIRS / ours:,.0f}")
    row("a loop with NumPy, unpacked", spread(times["loop"]), f"{plain / ours:.3g}", f"{PAIRS / plain:,.0f}")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without GoogLeNet, 3 x 256 and most samples")
    parser.add_argument("--only", choices=("crossings", "sampling", "slices", "pairs"), help="one section")
    parser.add_argument("--turns", type=int, default=3, help="runs of each way")
    parser.add_argument("--limit", type=float, default=300, help="seconds that one way may take for a slice")
    parser.add_argument("--here", action="store_true", help="no environment of its own, but this one")
    arguments = parser.parse_args()
    if not arguments.here:
        enter(__file__, requirements="geometry-requirements.txt")
    import torch
    from geometry_crossings import cases, rates, sampling

    torch.set_num_threads(1)
    print(f"Python {platform.python_version()}, one thread of {os.cpu_count()} cores.")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES) + ".")
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"Load of the last 1, 5, 15 minutes: {load}.", flush=True)
    if arguments.only in (None, "pairs"):
        pair_densities(turns=arguments.turns)
    if arguments.only in (None, "slices"):
        widths = WIDTHS[:2] if arguments.quick else WIDTHS
        slices(turns=arguments.turns, limit=arguments.limit, widths=widths)
    if arguments.only in (None, "crossings", "sampling"):
        chosen = cases(quick=arguments.quick or arguments.only == "sampling")
        if arguments.only != "sampling":
            rates(chosen, turns=arguments.turns)
        if arguments.only != "crossings":
            sampling(chosen, quick=arguments.quick)


if __name__ == "__main__":
    main()
