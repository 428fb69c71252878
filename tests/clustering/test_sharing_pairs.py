"""Processes of a group share the pairs of rows, and all find the tree that one finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.clustering.sharing_ranks import METRICS
from tests.clustering.trees import planted

from polylens.clustering import hierarchy

COUNTS = (2, 4)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where groups of processes have left what they found, beside the rows that they were given."""
    folder = tmp_path_factory.mktemp("shared")
    for metric in METRICS:
        np.save(folder / f"{metric}.npy", planted(metric, rows=2000))
    command = [sys.executable, "-m", "tests.clustering.sharing_ranks", str(folder), *map(str, COUNTS)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False, timeout=480).returncode == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("count", COUNTS)
def test_processes_share_the_pairs_and_agree(shared: Path, count: int) -> None:
    for metric in METRICS:
        expected = hierarchy(np.load(shared / f"{metric}.npy"), metric=metric, min_samples=4)
        for rank in range(count):
            found = np.load(shared / f"{metric}-{rank}-of-{count}.npz")
            np.testing.assert_array_equal(found["order"], expected.order)
            np.testing.assert_array_equal(found["heights"], expected.heights)
