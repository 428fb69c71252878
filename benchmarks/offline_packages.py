"""Packages from a folder of wheels, beside the torch that is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / ".benchmarks" / "offline"
_LEFT = ("torch-", "triton-", "nvidia_", "cuda_", "polylens-")
"""Starts of names of wheels that stay out: a torch that fits the GPU is there, polylens is this checkout."""


def wanted(wheels: Path) -> list[Path]:
    """The wheels of a folder that are installed."""
    return [path for path in sorted(wheels.glob("*.whl")) if not path.name.lower().startswith(_LEFT)]


def installed(wheels: Path, *, into: Path = _FOLDER) -> Path:
    """A folder to be put on Python's path, with the packages of all wheels that are wanted.

    No package looks for what it needs: torchvision asks for one version of torch, and works beside others.

    Raises:
        SystemExit: the folder holds none, or one cannot be installed here.
    """
    chosen = wanted(wheels)
    if not chosen:
        raise SystemExit(f"{wheels} holds no wheels; `pip wheel --wheel-dir {wheels} .` makes them elsewhere")
    mark = into / "wheels.txt"
    names = "\n".join(path.name for path in chosen)
    if not mark.exists() or mark.read_text() != names:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--upgrade"]
        done = subprocess.run([*command, "--target", str(into), *map(str, chosen)], check=False)
        if done.returncode:
            raise SystemExit(f"the wheels of {wheels} cannot be installed by {sys.executable}")
        mark.write_text(names)
    return into
