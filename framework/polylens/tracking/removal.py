"""Runs marked as deleted in MLflow, which can be undone, and their artifacts removed, which cannot."""

from __future__ import annotations

from polylens.tracking.connection import translate_errors
from polylens.tracking.lookup import LoggedRun, Lookup


def mark_as_deleted(lookup: Lookup, run: LoggedRun) -> None:
    """Marks a run as deleted, as MLflow's own page does; one that is marked stays so.

    Raises:
        TrackingError: MLflow cannot be asked, or refuses.
    """
    if not run.is_deleted:
        with translate_errors():
            lookup.client.delete_run(run.run_id)


def n_bytes_of_artifacts(lookup: Lookup, run: LoggedRun) -> int:
    """Bytes of all artifacts of a run.

    Raises:
        TrackingError: MLflow cannot be asked.
    """
    with translate_errors():
        waiting, n_bytes = [""], 0
        while waiting:
            for entry in lookup.client.list_artifacts(run.run_id, waiting.pop() or None):
                if entry.is_dir:
                    waiting.append(entry.path)
                else:
                    n_bytes += entry.file_size or 0
    return n_bytes


def remove_artifacts(lookup: Lookup, run: LoggedRun) -> None:
    """Removes all artifacts of a run for good; its numbers, params and tags stay in MLflow.

    Raises:
        TrackingError: they cannot be removed.
    """
    with translate_errors():
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        repository = get_artifact_repository(run.artifact_uri, tracking_uri=lookup.address)
        for entry in lookup.client.list_artifacts(run.run_id):
            repository.delete_artifacts(entry.path)
