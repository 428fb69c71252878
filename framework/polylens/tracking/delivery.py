"""Sends what is logged, and keeps it on disk where nobody answers."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from filelock import FileLock

from polylens.errors import StoreError
from polylens.progress import Progress
from polylens.settings import Settings
from polylens.store import lock_of
from polylens.tracking.connection import connect, translate_errors
from polylens.tracking.faults import AwayError, RefusedError
from polylens.tracking.kept import Kept, RunIdentity
from polylens.tracking.operations import Operation


class Delivery:
    """The way from one process to one tracking address. After a failure everything is kept until `reset`."""

    def __init__(self, settings: Settings, *, progress: Progress) -> None:
        self.settings = settings
        self.progress = progress
        self.kept = Kept(settings.store / "kept")
        self.run_ids: dict[str, str] = {}
        """MLflow's id of each run that is known to exist, by the run's key."""
        self.experiment_ids: dict[str, str] = {}
        """The experiment of each of these runs."""
        self.is_away = False
        self.trouble = ""
        """Why something was last kept instead of sent."""
        self._client: Any = None
        self._told: set[str] = set()
        # Processes that open a new SQLite file or the same run at once would crash in the migrations or
        # open the run twice. The lock lies beside the database, because two stores may share one.
        # It may be a link, which must not be replaced by a file, and another project may link to it too.
        self.database = None if settings.database is None else settings.database.resolve()
        """The SQLite file that holds the runs; None where a server does, or nothing is logged."""
        database = self.database
        folder = settings.store if database is None else database.parent
        self._lock_file = folder / ("tracking.lock" if database is None else f"{database.name}.lock")
        self._lock: FileLock | None = None

    @property
    def is_sending(self) -> bool:
        """Whether what is logged goes to MLflow, and is not kept or forgotten."""
        return not self.is_away

    @property
    def client(self) -> Any:
        """The client, connected on first use."""
        if self._client is None:
            with self.alone():
                self._client = connect(
                    self.settings.tracking_uri, database=self.database, progress=self.progress
                )
        return self._client

    def alone(self) -> AbstractContextManager[Any]:
        """A block that no other process is in at the same time."""
        try:
            self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RefusedError(f"cannot write {self._lock_file.parent}: {error}") from error
        if self._lock is None:
            try:
                self._lock = lock_of(self._lock_file)
            except StoreError as error:
                raise RefusedError(
                    error.message, hint="put the database on another disk, or use an MLflow server"
                ) from error
        return self._lock

    def deliver(self, identity: RunIdentity, operation: Operation) -> None:
        """Sends the operation now, or keeps it."""
        run_id = self.run_ids.get(identity.key)
        if run_id is not None and not self.is_away:
            try:
                with translate_errors(), self.alone():
                    notes = operation.send(self.client, run_id)
            except AwayError as error:
                self.go_away(error)
            except RefusedError as error:
                self.trouble = f"MLflow refused {operation.kind}: {error.message}"
                self._tell_once(
                    f"MLflow refused {operation.kind} of run {run_id}: {error}; kept in {self.kept.root}"
                )
            else:
                for note in notes:
                    self.progress.note(note)
                return
        self.kept.append(identity, operation, rest_of=run_id)

    def has_all(self, identity: RunIdentity) -> bool:
        """Whether MLflow has the run, and nothing that was logged to it waits."""
        return identity.key in self.run_ids and not self.kept.has(identity)

    def _tell_once(self, note: str) -> None:
        if note not in self._told:
            self._told.add(note)
            self.progress.note(note)

    def go_away(self, error: AwayError) -> None:
        """Stops sending: everything is kept from now on."""
        self.is_away = True
        self.trouble = f"MLflow at {self.settings.tracking_shown} takes nothing now ({error})"
        self.progress.note(
            f"{self.trouble}; what is logged is kept in {self.kept.root}, and the next polylens run sends it"
        )

    def reset(self) -> None:
        """Starts sending again."""
        self.is_away = False


class Discard(Delivery):
    """A delivery to nowhere, for a run of which nothing is to stay: MLflow is not even imported."""

    def __init__(self, settings: Settings, *, progress: Progress) -> None:
        super().__init__(settings, progress=progress)
        self.database = None

    @property
    def is_sending(self) -> bool:
        """Nothing goes anywhere."""
        return False

    @property
    def client(self) -> Any:
        """There is none.

        Raises:
            RefusedError: always.
        """
        raise RefusedError("nothing of a scratch run is logged")

    def deliver(self, identity: RunIdentity, operation: Operation) -> None:
        """Forgets the operation."""

    def has_all(self, identity: RunIdentity) -> bool:
        """Nothing is missing where nothing was to be logged."""
        return True
