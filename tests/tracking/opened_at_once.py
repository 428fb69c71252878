"""A program for a test: forks processes that each open the same run in one project, and print its id."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow.store.tracking.sqlalchemy_store
from tests.killing import exit_code, forked

from polylens.records import Number
from polylens.settings import load_settings
from polylens.tracking import Tracker

assert mlflow.store, "imported here, for all"


def open_it(folder: Path) -> None:
    tracker = Tracker(load_settings(folder, environ={}))
    tracker.prepare("digits")
    run = tracker.open_run(experiment="digits", name="run", digest="1" * 32)
    run.log_params({"seed": 0})
    run.log_numbers({f"m/{index}": Number(0.5) for index in range(50)})
    run.finish()
    print(run.run_id, flush=True)


if __name__ == "__main__":
    children = [forked(lambda: open_it(Path(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
    assert [exit_code(child) for child in children] == [0] * len(children)
