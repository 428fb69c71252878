"""Files that jobs leave in the store: scripts, logs and results, of no use once a job has done its run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polylens.store.files import explain_disk_errors

JOBS = "jobs"
"""Folder of the store with the files of jobs, one folder a study's name."""
_MARK = ".finished"


def mark_finished(folder: Path, job: str) -> None:
    """Says that a job did its run, so that its files may go. They stay until the store is cleared.

    Another command may still wait for the job, and read how it ended from its files.

    Args:
        folder: where they lie.
        job: its number, with which all their names begin, such as `1234_0`.
    """
    with explain_disk_errors(folder):
        (folder / f"{job}{_MARK}").touch()


def files_of_finished_jobs(root: Path) -> Iterator[tuple[str, Path]]:
    """The number of each job that did its run, with each of its files.

    The script of an array goes with the last of its jobs. A folder that holds finished jobs alone comes as a
    whole.

    Args:
        root: the store.
    """
    for folder in sorted({mark.parent for mark in (root / JOBS).rglob(f"*{_MARK}")}):
        jobs = sorted(mark.stem for mark in folder.glob(f"*{_MARK}"))
        files = {path: job for job in jobs for path in [*folder.glob(f"{job}_*"), folder / f"{job}{_MARK}"]}
        for job in jobs:
            array = job.partition("_")[0]
            script = folder / f"{array}_submission.sh"
            if all(path in files for path in folder.glob(f"{array}_*") if path != script) and script.exists():
                files[script] = job
        if all(path in files for path in folder.iterdir()):
            yield jobs[0], folder
        else:
            yield from sorted((job, path) for path, job in files.items())
