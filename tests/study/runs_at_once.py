"""A program for a test: gives several commands of one project at the same moment.

Prints as JSON how each ended, and what the project holds then, beside a project where one did it alone.
That one is of this process, so that all others, which are forks of it, begin with what a run loads. Only one
thread may compute here: a fork has none of the others.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.killing import exit_code, forked
from tests.pictures import undrawn
from tests.projects import Project
from tests.study.killed_runs import put_spec, remains, run

from polylens.memory import own_process

_SMALL = ("--set", "controls=[]", "--set", "analyses.quality=null", "--set", "labels=null")
"""What makes a run take less, where there are many."""


def project(folder: Path) -> Project:
    folder.mkdir()
    (folder / "mlflow.yaml").write_text("")
    return Project(folder)


def at_once(shared: Project, *changes: tuple[str, ...]) -> dict[str, Any]:
    """As many runs as changes, all begun together in one project without a database."""
    put_spec(shared)
    children = [forked(lambda change=change: run(shared, *change)) for change in changes]
    return {"exits": [exit_code(child) for child in children], "remains": remains(shared)}


def main(root: Path) -> None:
    """Two runs of one spec, eight runs of eight seeds, and one alone of each."""
    own_process()
    alone = project(root / "alone")
    run(alone)
    print(
        json.dumps(
            {
                "alone": remains(alone),
                "same": at_once(project(root / "same"), (), ()),
                **many(root),
            }
        )
    )


def many(root: Path) -> dict[str, Any]:
    """Eight runs, and one alone. None draws: two runs at once that draw are looked at already."""
    with undrawn():
        return {
            "small": at_once(project(root / "small"), (*_SMALL, "--set", "seed=0"))["remains"],
            "eight": at_once(
                project(root / "eight"), *[(*_SMALL, "--set", f"seed={seed}") for seed in range(8)]
            ),
        }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
