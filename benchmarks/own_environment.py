"""An environment of its own for a benchmark: this checkout beside the peers it is compared with."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
_INSTALLED = "installed.txt"


def enter(script: str, *, requirements: str) -> None:
    """Runs a script again in an environment with its peers, then ends; returns when already there.

    The environment is `.benchmarks/` and the script's name, which git ignores. It is made on first use, and
    made up to date when the requirements or the project's own change.
    """
    folder = ROOT / ".benchmarks" / Path(script).stem
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    peers, constraints = ROOT / "benchmarks" / requirements, ROOT / "constraints.txt"
    wanted = hashlib.sha256(
        b"".join(path.read_bytes() for path in (peers, constraints, ROOT / "pyproject.toml"))
    ).hexdigest()
    python, installed = folder / "bin" / "python", folder / _INSTALLED
    if not installed.exists() or installed.read_text() != wanted:
        print(f"Installing polylens and its peers into {folder}; this takes a minute or two.", flush=True)
        venv.create(folder, with_pip=True)
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        names = ("--constraint", constraints, "--requirement", peers, "--editable", ROOT)
        subprocess.run([python, *install, *map(str, names)], check=True)
        installed.write_text(wanted)
    sys.exit(subprocess.run([python, script, *sys.argv[1:]], check=False).returncode)
