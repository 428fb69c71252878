"""A program for a test: kills processes that make MLflow's database, at moments spread over that phase.

The moments are found by timing the phase itself. Children are forked from one process that has imported
MLflow, so that a kill costs no import. After each kill the same command is given again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from polylens.records import Number
from polylens.settings import load_settings
from polylens.tracking import Tracker


def log_a_run(folder: Path, *, prepared: int | None = None) -> None:
    """One whole command of tracking; a byte goes to the pipe when the database is ready."""
    settings = load_settings(folder, environ={})
    tracker = Tracker(settings)
    tracker.send_kept()
    tracker.prepare("digits")
    if prepared is not None:
        os.write(prepared, b"r")
    run = tracker.open_run(experiment="digits", name="run", digest="1" * 32)
    run.log_params({"seed": 0})
    run.log_numbers({f"m/{index}": Number(index / 7) for index in range(20)})
    run.log_report("<h1>Polytopes</h1>")
    run.finish()
    if not run.is_in_mlflow:
        raise SystemExit("not in MLflow")


def forked(work: Callable[[], None]) -> int:
    """Starts the work in a child and gives its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    with suppress(BaseException):
        work()
        code = 0
    os._exit(code)


def seconds_of_the_phase(folder: Path) -> float:
    """How long a process takes until the database is ready."""
    folder.mkdir()
    (folder / "mlflow.yaml").write_text("")
    reader, writer = os.pipe()
    started = time.monotonic()
    child = forked(lambda: log_a_run(folder, prepared=writer))
    os.close(writer)
    assert os.read(reader, 1) == b"r", "the undisturbed run failed"
    seconds = time.monotonic() - started
    os.close(reader)
    assert os.waitpid(child, 0)[1] == 0, "the undisturbed run failed"
    return seconds


def kill_and_repeat(folder: Path, after: float) -> dict[str, Any]:
    """What a kill after so many seconds left, and the exit status of the same command given again."""
    folder.mkdir()
    (folder / "mlflow.yaml").write_text("")
    child = forked(lambda: log_a_run(folder))
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    database = (folder / "mlflow.db").exists()
    left = any(folder.glob(".mlflow.db.making-*"))
    again = os.waitstatus_to_exitcode(os.waitpid(forked(lambda: log_a_run(folder)), 0)[1])
    return {"after": after, "killed": killed, "had_database": database, "had_remains": left, "exit": again}


def main(root: Path, n_kills: int) -> None:
    """Kills at so many moments, each in a folder of its own, and prints what came of it as JSON."""
    import mlflow.store.tracking.sqlalchemy_store

    assert mlflow.store
    phase = seconds_of_the_phase(root / "undisturbed")
    found = [
        kill_and_repeat(root / f"kill-{index:03}", phase * (index + 0.5) / n_kills)
        for index in range(n_kills)
    ]
    print(json.dumps({"phase_seconds": phase, "kills": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
