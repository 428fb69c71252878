from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polylens

_JOIN = """
import numpy as np
from polylens.kernels.linkage import chain_groups
rows = np.arange(3000)  # so many that Python does not run the kernel itself
print(chain_groups(rows[:-1], rows[1:], np.ones(2999), np.empty_like(rows), np.empty(2999)))
"""


def joins(room: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _JOIN], cwd=room, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout.strip()


def test_a_kernel_is_compiled_anew_where_one_that_it_calls_has_changed(tmp_path):
    source = Path(polylens.__file__).parent / "kernels"
    kernels = tmp_path / "polylens" / "kernels"
    shutil.copytree(source, kernels, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "polylens" / "__init__.py").touch()
    assert joins(tmp_path) == "True"
    called = kernels / "contraction.py"  # `linkage.chain_groups` asks its `root_of` for both ends of an edge
    called.write_text(called.read_text().replace("    return member\n", "    return 0\n"))
    assert joins(tmp_path) == "False"
