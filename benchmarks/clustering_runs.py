"""The runs of `clustering.py`: which methods, how often, for how long, and what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from clustering_methods import ACTIVATIONS, CODES, CUDA, Found
from measuring import Others, Patience
from planted import planted
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

WORKER = Path(__file__).with_name("clustering_methods.py")
OURS = "polylens"
FEW = 300
"""Rows of the first use, before anything is timed."""
MUCH_MEMORY = 8_000
"""Megabytes that a process is not let to take."""
DISTURBED = 0.1
"""Share of the machine that other programs take from which on a run is tried again, twice at most."""
LONG = 20.0
"""Seconds from which on a run is not repeated."""
_GRACE = 240.0
"""Seconds for imports and the first use, which take a minute where compiled code is not kept."""
_TOLERANCE = {"codes": 1e-9, "activations": 1e-5}
"""Of heights, as a share of the greatest: codes' are counts of bits, activations' are rounded to float32."""


@dataclass
class Measured:
    """What the runs of one method on one set of rows gave."""

    times: list[float] = field(default_factory=list)
    first_uses: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    """Processor time over time: how many cores worked, in threads of the process itself."""
    others: float = 0.0
    """Greatest share of the machine that other programs took meanwhile."""
    peak: float = 0.0
    """Most megabytes that a process held."""
    device: float = 0.0
    """Most megabytes that tensors took on the device."""
    agreement: tuple[float, float] = (1.0, 1.0)
    """With polylens' labels: adjusted Rand index and adjusted mutual information, noise as one group."""
    planted: float = 0.0
    """Adjusted Rand index with the clusters that were planted."""
    same_heights: bool | None = None
    """Whether the weights of its spanning tree are polylens'; None where it shows none."""
    clusters: int = 0

    @property
    def seconds(self) -> float:
        """The median."""
        return median(self.times)


class Runs:
    """All methods on rows of one width, the fewest rows first."""

    def __init__(
        self,
        way: str,
        units: int,
        folder: Path,
        *,
        limit: float = 0.0,
        turns: int = 1,
        patience: Patience | None = None,
    ) -> None:
        self.way, self.units, self.folder = way, units, folder
        self.limit, self.turns, self.patience = limit, turns, patience or Patience(0)
        self.methods = {"codes": CODES, "activations": ACTIVATIONS, "cuda": CUDA}[way]
        self.proven: list[str] = []
        self.left_out: dict[str, str] = {}
        """Why a method was not run on the last rows."""
        self._reached: dict[str, tuple[int, float, float]] = {}
        np.save(folder / "few.npy", planted(FEW, units=units, codes=way != "activations").rows)

    def check(self, n_rows: int) -> dict[str, float]:
        """Refuses to go on if an exact method's spanning tree is not ours; gives seconds of each first use.

        The caches of compiled code are empty when the first runs of a `clustering.py` start.
        """
        self._plant(n_rows)
        first_uses: dict[str, float] = {}
        ours = None
        for name, method in self.methods.items():
            answer = self._run(name, timeout=None)
            assert answer is not None
            first_uses[name], found = answer["first_use"], self._found()
            if ours is None:
                ours = found
            elif method.exact:
                assert self._same_heights(found, ours), f"{name}: another spanning tree than {OURS}'s"
                self.proven.append(name)
        return first_uses

    def measure(self, n_rows: int) -> dict[str, Measured]:
        """Every method that can be expected to end within the limits, in turn."""
        clusters = self._plant(n_rows)
        self.left_out = {}
        measured: dict[str, Measured] = {}
        ours: Found | None = None
        for turn in range(self.turns):
            for name in self.methods:
                if turn == 0 and (reason := self._too_much(name, n_rows)):
                    self.left_out[name] = reason
                if name in self.left_out or (turn > 0 and measured[name].seconds > LONG):
                    continue
                answer = self._run_undisturbed(name)
                if answer is None:
                    self._reached[name] = (n_rows, np.inf, 0.0)
                    self.left_out[name] = f"stopped after {self.limit + _GRACE:.0f} s"
                    continue
                one = measured.setdefault(name, Measured())
                one.times.append(answer["seconds"])
                one.first_uses.append(answer["first_use"])
                one.others = max(one.others, answer["others"])
                one.cores.append(answer["processor"] / answer["seconds"])
                one.peak, one.device = max(one.peak, answer["peak"]), max(one.device, answer.get("device", 0))
                self._reached[name] = (n_rows, one.seconds, one.peak)
                if turn == 0:
                    found = self._found()
                    ours = found if ours is None else ours
                    self._compare(one, found, ours, clusters)
        return measured

    def permuted(self, n_rows: int, permutations: int) -> dict[str, list[float]]:
        """How each method agrees with itself when the rows come in another order."""
        self._plant(n_rows)
        answers = {name: self._run(name, timeout=None, permutations=permutations) for name in self.methods}
        return {name: answer["agreement"] for name, answer in answers.items() if answer is not None}

    def _plant(self, n_rows: int) -> np.ndarray:
        found = planted(n_rows, units=self.units, codes=self.way != "activations")
        np.save(self.folder / "rows.npy", found.rows)
        return found.clusters

    def _too_much(self, name: str, n_rows: int) -> str:
        """Why a method need not be tried, by what it took on fewer rows."""
        if name == OURS or name not in self._reached:
            return ""
        before, seconds, peak = self._reached[name]
        growth = (n_rows / before) ** 2
        if seconds == np.inf:
            return "more than the limit on fewer rows"
        if seconds * growth > self.limit:
            return f"about {seconds * growth:,.0f} s, by the square of the rows"
        if peak * growth > MUCH_MEMORY and peak > 1_000:
            return f"about {peak * growth / 1000:.0f} GB, by the square of the rows"
        return ""

    def _run_undisturbed(self, name: str) -> dict[str, Any] | None:
        """A run while other programs rest, where they do; else the least disturbed of three."""
        tried: list[tuple[float, dict[str, Any]]] = []
        while len(tried) < 3:
            self.patience.wait()
            others = Others()
            answer = self._run(name, timeout=self.limit + _GRACE)
            if answer is None:
                return None
            tried.append((others.share(), answer))
            if tried[-1][0] < DISTURBED or self.patience.left <= 0:
                break
        share, answer = min(tried, key=lambda pair: pair[0])
        return {**answer, "others": share}

    def _run(self, name: str, *, timeout: float | None, permutations: int = 0) -> dict[str, Any] | None:
        """A fresh process; None where it took too long."""
        job = {"way": self.way, "method": name, "permutations": permutations}
        files = {key: str(self.folder / f"{key}.npy") for key in ("few", "rows")}
        files["result"] = str(self.folder / "result.npz")
        caches = {"NUMBA_CACHE_DIR": str(self.folder / "compiled")}
        command = [sys.executable, str(WORKER), json.dumps({**job, **files})]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **caches}
            )
        except subprocess.TimeoutExpired:
            return None
        if ended.returncode:
            raise RuntimeError(f"{name} failed:\n{ended.stderr}")
        answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return answer

    def _found(self) -> Found:
        with np.load(self.folder / "result.npz") as arrays:
            heights = arrays["heights"]
            return Found(arrays["labels"], heights if len(heights) else None)

    def _same_heights(self, found: Found, ours: Found) -> bool | None:
        if found.heights is None or ours.heights is None:
            return None
        apart = float(np.abs(found.heights - ours.heights).max())
        return apart <= _TOLERANCE[self.way] * float(ours.heights.max())

    def _compare(self, one: Measured, found: Found, ours: Found, clusters: np.ndarray) -> None:
        one.clusters = int(found.labels.max()) + 1
        one.planted = float(adjusted_rand_score(clusters, found.labels))
        if found is not ours:
            pair = (ours.labels, found.labels)
            one.agreement = float(adjusted_rand_score(*pair)), float(adjusted_mutual_info_score(*pair))
            one.same_heights = self._same_heights(found, ours)
