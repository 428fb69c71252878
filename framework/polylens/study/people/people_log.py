"""Logs what people said to the run that it is of: files, tables, and metrics with one step a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from polylens.progress import Progress
from polylens.settings import Settings
from polylens.store import Annotations, json_bytes
from polylens.study.past import PastRun
from polylens.study.people.people_page import page_with_people
from polylens.study.people.said import People
from polylens.tracking import Tracker

if TYPE_CHECKING:
    import pandas as pd

PEOPLE_TAG = "polylens.people"
"""The tally in a sentence."""


def log_people(
    people: People, key: Mapping[str, Any], *, run: PastRun | None, settings: Settings, progress: Progress
) -> str:
    """Logs every version, the tables of all together, and the numbers; the same again changes nothing.

    Args:
        people: all that people have said so far.
        key: of the sheet that was imported.
        run: the run; None while MLflow cannot be asked: then it is the one that the sheet names.
        settings: the project's.
        progress: where it is shown.

    Returns:
        Why MLflow lacks some of it, which then waits in the store; empty where it has all.
    """
    exported: Mapping[str, Any] = key["run"]
    tracker = Tracker(settings, progress=progress)
    tracked = tracker.reopen_run(
        run_id=exported["run_id"] if run is None else run.run_id,
        experiment=exported["experiment"] if run is None else run.logged.experiment,
        name=exported["name"] if run is None else run.name,
        digest=(exported["digest"] if run is None else run.logged.spec_digest) or "",
    )
    for version in Annotations(settings.store, key["clusters"]).versions():
        path = f"people/{people.of}/{version['version']:04}.json"
        tracked.log_artifact(path, json_bytes(version))
    for name, table in tables_of_people(people).items():
        tracked.log_table(name, table)
    values = {name: number.value for name, number in people.numbers().items()}
    tracked.log_point(values, step=people.n_versions)
    tracked.set_tags({PEOPLE_TAG: people.in_words})
    page = None if run is None else page_with_people(run)
    if page is not None:
        tracked.log_report(page)
    else:
        again = "the spec, run again" if run is None else run.stored.again
        progress.note(f"the page of '{tracked.name}' stays as it is: {again} puts people's labels on it")
    tracker.send_kept()
    return "" if tracked.is_in_mlflow else tracker.trouble


def tables_of_people(people: People) -> dict[str, pd.DataFrame]:
    """The tables of what people said, by the names that they are logged by."""
    return {f"{people.of}.people": people.labels(), f"{people.of}.people_numbers": people.table()}
