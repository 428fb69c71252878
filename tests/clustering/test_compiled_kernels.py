"""Kernels that are kept on disk: what they stand on, and who writes which file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polylens

# A kernel that is quick to compile, and calls one of another file where the pool has no room.
_FILL = """
import numpy as np
from polylens.kernels.cutting import Candidates, _fill_pool
listed = Candidates(np.array([0, 3]), np.array([7, 8, 9]))
print(len(_fill_pool(np.zeros(1, np.int64), listed, 0)[0]))
"""

# Where each of two processes would write the kernel: one was forked from the other, which had imported it.
_FORKED = """
import os
from polylens.kernels.halfedges import with_room
names = with_room._cache._cache_file
child = os.fork()
if child:
    os.waitpid(child, 0)
print(names._data_name(1))
"""


def length(room: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _FILL], cwd=room, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout.strip()


def test_a_kernel_is_compiled_anew_where_one_that_it_calls_has_changed(tmp_path):
    source = Path(polylens.__file__).parent / "kernels"
    kernels = tmp_path / "polylens" / "kernels"
    shutil.copytree(source, kernels, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "polylens" / "__init__.py").touch()
    assert length(tmp_path) == "6"
    called = kernels / "halfedges.py"  # whose `with_room` makes the pool longer
    called.write_text(called.read_text().replace("np.empty(2 * (used", "np.empty(3 * (used"))
    assert length(tmp_path) == "9"


def test_processes_that_were_forked_from_one_write_files_of_their_own():
    done = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True)
    one, other = done.stdout.split()
    assert one != other
    assert {name.partition(".")[0] for name in (one, other)} == {"halfedges"}
