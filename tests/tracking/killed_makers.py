"""A program for a test: kills processes that make MLflow's database, at moments spread over that phase.

The moments are found by timing the phase itself. After each kill the same command is given again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.killing import exit_code, forked, kill

from polylens.records import Number
from polylens.settings import load_settings
from polylens.tracking import Tracker


def log_a_run(folder: Path, *, prepared: int | None = None) -> None:
    """One whole command of tracking; a byte goes to the pipe when the database is ready."""
    tracker = Tracker(load_settings(folder, environ={}))
    tracker.send_kept()
    tracker.prepare("digits")
    if prepared is not None:
        os.write(prepared, b"r")
    run = tracker.open_run(experiment="digits", name="run", digest="1" * 32)
    run.log_params({"seed": 0})
    run.log_numbers({f"m/{index}": Number(index / 7) for index in range(20)})
    run.log_report("<h1>Polytopes</h1>")
    run.finish()
    assert run.is_in_mlflow


def seconds_of_the_phase(folder: Path) -> float:
    """How long a process takes until the database is ready."""
    reader, writer = os.pipe()
    started = time.monotonic()
    child = forked(lambda: log_a_run(folder, prepared=writer))
    os.close(writer)
    assert os.read(reader, 1) == b"r", "the undisturbed run failed"
    seconds = time.monotonic() - started
    os.close(reader)
    assert exit_code(child) == 0, "the undisturbed run failed"
    return seconds


def kill_and_repeat(folder: Path, after: float) -> dict[str, Any]:
    """What a kill after so many seconds left, and the exit code of the same command given again."""
    killed = kill(forked(lambda: log_a_run(folder)), after=after)
    database = (folder / "mlflow.db").exists()
    left = any(folder.glob(".mlflow.db.making-*"))
    again = exit_code(forked(lambda: log_a_run(folder)))
    return {"after": after, "killed": killed, "had_database": database, "had_remains": left, "exit": again}


def main(root: Path, n_kills: int) -> None:
    """Kills at so many moments, each in a folder of its own, and prints what came of it as JSON."""

    def project(name: str) -> Path:
        folder = root / name
        folder.mkdir()
        (folder / "mlflow.yaml").write_text("")
        return folder

    import mlflow.store.tracking.sqlalchemy_store

    assert mlflow.store
    phase = seconds_of_the_phase(project("undisturbed"))
    found = [
        kill_and_repeat(project(f"kill-{index:03}"), phase * (index + 0.5) / n_kills)
        for index in range(n_kills)
    ]
    print(json.dumps({"phase_seconds": phase, "kills": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
