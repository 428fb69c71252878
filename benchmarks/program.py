"""How long the program takes to start and to do the demo: `python benchmarks/program.py [--turns N]`.

Every call is a fresh process. The first run of the demo is one in a new project; the second finds everything
stored.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import alternated, report

ROOT = Path(__file__).parents[1]
DEMO = Path("experiments") / "digits" / "mlp-clusters.yaml"


def polylens(*arguments: str | Path, folder: Path) -> None:
    """Runs the command line in a folder."""
    command = [sys.executable, "-m", "polylens", *map(str, arguments)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def project(folder: Path) -> Path:
    """A new project with the shipped experiments."""
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    shutil.copytree(ROOT / "registry", folder / "registry")
    shutil.copy(ROOT / "mlflow.yaml", folder)
    return folder


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="of --help and validate")
    parser.add_argument("--demos", type=int, default=3, help="first runs of the demo")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = project(Path(name) / "start")
        small = {
            "python": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
            "--help": lambda: polylens("--help", folder=folder),
            "validate": lambda: polylens("validate", DEMO, folder=folder),
        }
        report("start-up", alternated(small, turns=arguments.turns), against="python")
        seconds: dict[str, list[float]] = {"first run": [], "second run": []}
        for number in range(arguments.demos):
            folder = project(Path(name) / str(number))
            for times in seconds.values():
                start = time.perf_counter()
                polylens("run", DEMO, folder=folder)
                times.append(time.perf_counter() - start)
        report("the demo", seconds, against="first run")


if __name__ == "__main__":
    main()
