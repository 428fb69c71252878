"""Runs that MLflow has, looked up by what a person calls them: an id, the start of one, or a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from polylens.errors import TrackingError, UsageError, nearest
from polylens.progress import Silent
from polylens.settings import Settings
from polylens.tracking.connection import translate_errors
from polylens.tracking.delivery import Delivery
from polylens.tracking.run import DIGEST_TAG, PARENT_TAG

_START_OF_ID = re.compile(r"[0-9a-f]{4,32}")
"""What can be the start of an MLflow id; fewer characters than four would fit runs by chance."""
_PAGE = 500
_MOST_NAMED = 5


@dataclass(frozen=True)
class LoggedRun:
    """One run as MLflow has it, without its numbers and files."""

    run_id: str
    name: str
    experiment: str
    """Name of the MLflow experiment, with the prefix of the settings."""
    status: str
    """MLflow's word: `RUNNING`, `FINISHED`, `FAILED`, `KILLED` or `SCHEDULED`."""
    started: datetime
    """In UTC."""
    artifact_uri: str
    parent_id: str | None = None
    """The run it lies under; None where it lies under none."""
    is_deleted: bool = False
    """Whether MLflow has marked it as deleted."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec_digest(self) -> str | None:
        """Digest under which polylens opened the run; None where something else made it."""
        return self.tags.get(DIGEST_TAG)

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end, with all its numbers."""
        return self.status == "FINISHED"

    @property
    def shown(self) -> str:
        """The run in a list: the start of its id, its name, its state and when it was started."""
        state = "deleted" if self.is_deleted else self.status.lower()
        return f"{self.run_id[:8]} '{self.name}' ({state}, {self.started:%Y-%m-%d %H:%M} UTC)"


class Lookup:
    """What MLflow says of runs. Nothing is logged through it, and no database is made.

    Every method raises a `TrackingError` where the server or database cannot be asked: what it would say is
    then not known, and is not said to be nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._delivery = Delivery(settings, progress=Silent())
        self._experiments: dict[str, str] = {}

    @property
    def client(self) -> Any:
        """MLflow's own client; use it inside `translate_errors`.

        Raises:
            TrackingError: nothing answers, or what answers cannot be used.
        """
        return self._delivery.client

    def runs(self, *, deleted: bool = False) -> tuple[LoggedRun, ...]:
        """All runs of all experiments, the newest first; those marked as deleted instead, where asked for."""
        return self._search("", deleted=deleted)

    def find(self, asked: str) -> tuple[LoggedRun, ...]:
        """The runs that are meant, the newest first: one for an id or the start of one, or all of a name.

        A name goes before the start of an id.

        Args:
            asked: MLflow's id of a run, its first four characters or more, or the name of runs.

        Raises:
            UsageError: there is no such run, it was deleted, or several ids start like this; says which are
                meant or near.
            TrackingError: MLflow cannot be asked.
        """
        if self._is_empty:
            raise UsageError(
                f"there are no runs yet in {self._settings.tracking_shown}",
                hint="`polylens run` makes one; another project's are found from its folder",
            )
        runs = self._named(asked) or self._starting(asked, deleted=False)
        if not runs:
            raise self._no_run(asked)
        starts = asked not in (runs[0].run_id, runs[0].name)
        if starts and len(runs) > 1:
            listed = "; ".join(run.shown for run in runs[:_MOST_NAMED])
            raise UsageError(
                f"{len(runs)} runs have an id that starts with '{asked}'", hint=f"say which: {listed}"
            )
        return runs

    def file(self, run: LoggedRun, path: str, *, into: Path) -> Path | None:
        """One artifact of a run, as a file of the folder `into`; None where the run has none at this path.

        Raises:
            TrackingError: MLflow cannot be asked, or the artifact cannot be had.
        """
        folder = path.rpartition("/")[0]
        with translate_errors():
            entries = self.client.list_artifacts(run.run_id, folder or None)
            if path not in {entry.path for entry in entries}:
                return None
            file = Path(self.client.download_artifacts(run.run_id, path, str(into)))
        if not file.is_file():
            raise TrackingError(f"MLflow names {path} of run {run.run_id} and does not give it")
        return file

    @property
    def _is_empty(self) -> bool:
        """Whether the database of runs was never made."""
        file = self._settings.database
        return file is not None and (not file.exists() or file.stat().st_size == 0)

    def _named(self, name: str) -> tuple[LoggedRun, ...]:
        # Neither a quote nor a backslash can be written in MLflow's filters: one character stands for any.
        pattern = re.sub(r"['\"\\]", "_", name)
        return tuple(run for run in self._search(f"attributes.run_name LIKE '{pattern}'") if run.name == name)

    def _starting(self, asked: str, *, deleted: bool) -> tuple[LoggedRun, ...]:
        start = asked.lower()
        if not _START_OF_ID.fullmatch(start):
            return ()
        return self._search(f"attributes.run_id LIKE '{start}%'", deleted=deleted)

    def _no_run(self, asked: str) -> UsageError:
        deleted = self._starting(asked, deleted=True)
        if len(deleted) == 1:
            return UsageError(
                f"the run {deleted[0].shown} was deleted in MLflow",
                hint=restoring(deleted[0], self._settings),
            )
        names = list(dict.fromkeys(run.name for run in self.runs()))
        near = nearest(asked, names)
        shown = f"did you mean '{near}'?" if near else f"the newest: {', '.join(names[:_MOST_NAMED])}"
        return UsageError(
            f"there is no run '{asked}' in {self._settings.tracking_shown}",
            hint=f"{shown if names else 'it has no runs'}; a run is named by its MLflow id, the first four "
            "characters of that or more, or its name",
        )

    def _search(self, condition: str, *, deleted: bool = False) -> tuple[LoggedRun, ...]:
        if self._is_empty:
            return ()
        from mlflow.entities import ViewType

        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        runs: list[LoggedRun] = []
        with translate_errors():
            self._experiments = self._experiments or self._all_experiments()
            token: str | None = None
            while True:
                page = self.client.search_runs(
                    list(self._experiments),
                    filter_string=condition,
                    run_view_type=view,
                    max_results=_PAGE,
                    order_by=["attributes.start_time DESC"],
                    page_token=token,
                )
                runs += [self._logged(run) for run in page]
                token = page.token
                if not token:
                    return tuple(runs)

    def _all_experiments(self) -> dict[str, str]:
        """Names of all experiments by MLflow's ids; a run of a deleted one can still be restored."""
        from mlflow.entities import ViewType

        names: dict[str, str] = {}
        token: str | None = None
        while True:
            page = self.client.search_experiments(view_type=ViewType.ALL, page_token=token)
            names |= {str(entry.experiment_id): entry.name for entry in page}
            token = page.token
            if not token:
                return names

    def _logged(self, run: Any) -> LoggedRun:
        return LoggedRun(
            run_id=run.info.run_id,
            name=run.info.run_name or "",
            experiment=self._experiments[str(run.info.experiment_id)],
            status=run.info.status,
            started=datetime.fromtimestamp((run.info.start_time or 0) / 1000, UTC),
            artifact_uri=run.info.artifact_uri or "",
            parent_id=run.data.tags.get(PARENT_TAG),
            is_deleted=run.info.lifecycle_stage != "active",
            tags=dict(run.data.tags),
        )


def restoring(run: LoggedRun, settings: Settings) -> str:
    """How a run that MLflow marked as deleted is brought back."""
    return f"MLFLOW_TRACKING_URI={settings.tracking_shown} mlflow runs restore --run-id {run.run_id}"
