"""Takes a filled sheet back: checks every line, keeps it as a version of its own, and logs it to the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from polylens.analyses import NETWORK
from polylens.annotation import FilledLine, FilledSheet, plain_record, read_sheet
from polylens.errors import TrackingError, UsageError, nearest
from polylens.progress import Progress
from polylens.records import Labels
from polylens.settings import Settings
from polylens.store import Annotations, Store, find_sheet, load_labels
from polylens.study.meant import past_runs
from polylens.study.past import PastRun
from polylens.study.people.gathering import gather
from polylens.study.people.people_log import log_people
from polylens.study.people.said import EVERYBODY, People
from polylens.study.people.subject import PeopleSubject

_LEAST_OF_ID = 4


@dataclass(frozen=True)
class Taken:
    """What came of one import."""

    people: People
    """All that people have said so far."""
    version: int
    is_new: bool
    """Whether it says anything that the newest version did not say already."""
    n_lines: int
    """Lines that say something."""
    trouble: str
    """Why MLflow lacks some of it; empty where it has all."""


def take_back(file: Path, asked: str, *, of: str | None, settings: Settings, progress: Progress) -> Taken:
    """Imports a filled sheet; where anything is wrong in it, nothing of it is kept.

    While MLflow cannot be asked, the run is the one that the sheet was exported from, and what is logged to
    it waits in the store.

    Args:
        file: the sheet.
        asked: the run, as a person names it.
        of: the analysis; the sheet's own if not given.
        settings: the project's.
        progress: where it is shown.

    Raises:
        UsageError: the sheet is of another run, or something in it is wrong; names every line.
        TrackingError: MLflow cannot be asked, and the run is not named as the sheet's.
    """
    filled = read_sheet(file)
    key = _key_of(filled, settings)
    run = _run_meant(asked, key, of=of, settings=settings)
    version = _version_of(filled, key)
    number, is_new = Annotations(settings.store, key["clusters"]).keep_version(version)
    people = gather(
        settings.store,
        key["clusters"],
        run=key["run"]["name"],
        of=key["of"],
        n_clusters=key["n_clusters"],
        labels=_labels_of(key, settings),
    )
    trouble = log_people(people, key, run=run, settings=settings, progress=progress)
    return Taken(people, number, is_new, len(filled.lines), trouble)


def _key_of(filled: FilledSheet, settings: Settings) -> Mapping[str, Any]:
    """What the lines of the sheet stand for, as the store has kept it.

    Raises:
        UsageError: nothing is filled, or the sheet was not exported from this store.
    """
    if not filled.lines:
        filled.check(undone="nothing was imported")
        raise UsageError(
            f"nothing is filled in {filled.file}", hint="fill label or verdict, and author, and save it"
        )
    key = find_sheet(settings.store, filled.lines[0].sheet)
    if key is None:
        raise UsageError(
            f"{filled.file}:{filled.lines[0].line}: the store {settings.store} has handed out no sheet "
            f"'{filled.lines[0].sheet}'",
            hint="import it where it was exported; the column 'sheet' is not to be changed",
        )
    return key


def _run_meant(asked: str, key: Mapping[str, Any], *, of: str | None, settings: Settings) -> PastRun | None:
    """The run, where the sheet is of its clusters; None where MLflow cannot be asked and the sheet names it.

    Raises:
        UsageError: the sheet is of other clusters.
    """
    exported: Mapping[str, str] = key["run"]
    try:
        run = past_runs(settings).one(asked)
    except TrackingError:
        starts = len(asked) >= _LEAST_OF_ID and exported["run_id"].startswith(asked)
        if not starts and asked != exported["name"]:
            raise
        return None
    same_run = run.run_id == exported["run_id"] and of in (None, key["of"])
    if not same_run and PeopleSubject.of_run(run, of or key["of"]).digest != key["clusters"]:
        raise UsageError(
            f"the sheet is of the run '{exported['name']}' ({exported['run_id'][:8]}), clusters of "
            f"'{key['of']}', and {run.logged.shown} has other clusters",
            hint=f"polylens label {exported['run_id'][:8]} --import FILE takes it",
        )
    return run


def _version_of(filled: FilledSheet, key: Mapping[str, Any]) -> dict[str, Any]:
    """What the store keeps of the sheet: the clusters' own lines, and those of other sides.

    Raises:
        UsageError: a line is wrong; names every one.
    """
    items: Mapping[str, Mapping[str, Any]] = key["items"]
    day = datetime.now(UTC).date().isoformat()
    found = [(line, items[line.id]) for line in filled.lines if _is_known(line, filled, key)]
    filled.check(undone="nothing was imported")
    lines = [
        plain_record(line.record(item["cluster"], day=day), id=item["id"])
        for line, item in found
        if item["side"] == NETWORK
    ]
    others = [
        plain_record(line.record(item["cluster"], day=day), side=item["side"], draw=item["draw"])
        for line, item in found
        if item["side"] != NETWORK
    ]
    return {
        "schema": 1,
        "sheet": key["name"],
        "of": key["of"],
        "run": key["run"]["name"],
        "file": filled.file,
        "imported": datetime.now(UTC).isoformat(timespec="seconds"),
        "blind": key["blind"],
        "lines": lines,
        "others": others,
    }


def _is_known(line: FilledLine, filled: FilledSheet, key: Mapping[str, Any]) -> bool:
    """Whether the line is one of the sheet's; what is wrong with it is noted."""
    if line.author == EVERYBODY:
        filled.mistake(line.line, f"'{EVERYBODY}' stands for all authors together; give a name")
    items: Mapping[str, Mapping[str, Any]] = key["items"]
    if line.sheet != key["name"]:
        filled.mistake(line.line, f"of the sheet '{line.sheet}', and the first line is of '{key['name']}'")
        return False
    if line.id not in items:
        near = nearest(line.id, list(items))
        meant = f"; did you mean '{near}'?" if near else "; ids are not to be changed"
        filled.mistake(line.line, f"the sheet has no line '{line.id}'{meant}")
        return False
    cluster = items[line.id]["cluster"]
    if not key["blind"] and line.cluster and line.cluster != str(cluster):
        filled.mistake(line.line, f"'{line.id}' is cluster {cluster}, and the line says '{line.cluster}'")
        return False
    return True


def _labels_of(key: Mapping[str, Any], settings: Settings) -> dict[str, Labels]:
    """The labels of the spec that the store still has."""
    store = Store(settings.store)
    return {
        name: load_labels(store.open("labels", digest))
        for name, digest in key["labels"].items()
        if store.has("labels", digest)
    }
