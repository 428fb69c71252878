"""Runs as jobs of a cluster: handed over, followed, and put together where the command was given.

submitit hands the jobs over. A job walks one child of a study into the store and tells MLflow nothing; the
command that waits for the jobs then finds everything stored, and is the only one that writes to MLflow.
"""

from polylens.jobs.launching import run_by_jobs

__all__ = ["run_by_jobs"]
