"""What is held against the pretend accelerator, in processes of its own.

Torch counts devices once, when it first computes a gradient: where one was computed, no new device is found.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "pretend"
PROBES = FOLDER / "check_probes.py"
OTHERS = [path for path in sorted(FOLDER.glob("check_*.py")) if path != PROBES]


@pytest.mark.slow
@pytest.mark.parametrize("files", [[PROBES], OTHERS], ids=["probes", "others"])
def test_what_another_device_computes_is_what_the_processor_computes(files: list[Path]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, files)]
    done = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout or " skipped" in done.stdout
