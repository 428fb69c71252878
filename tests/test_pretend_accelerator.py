"""What is held against the pretend accelerator, in processes of its own.

Torch counts devices once, when it first computes a gradient: where one was computed, no new device is found.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.forking import REPOSITORY, Forks

FOLDER = Path(__file__).parent / "pretend"
PROBES = FOLDER / "check_probes.py"
OTHERS = [path for path in sorted(FOLDER.glob("check_*.py")) if path != PROBES]

_PLUGINS_ARE_IMPORTED = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")


@pytest.mark.slow
@pytest.mark.parametrize("files", [[PROBES], OTHERS], ids=["probes", "others"])
def test_what_another_device_computes_is_what_the_processor_computes(files: list[Path], ready: Forks) -> None:
    # polylens anew, or the shapes of arrays would go unchecked.
    done = ready.module(
        *("pytest", "-q", "-p", "no:cacheprovider", *_PLUGINS_ARE_IMPORTED, *map(str, files)),
        folder=REPOSITORY,
        anew=("polylens",),
        patience=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout or " skipped" in done.stdout
