"""Opens runs in MLflow: prepares the database and the experiment, finds a run again, sends what was kept."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from polylens.errors import TrackingError
from polylens.progress import Progress, Silent
from polylens.settings import Settings
from polylens.tracking.connection import translate_errors
from polylens.tracking.delivery import Delivery, Discard
from polylens.tracking.faults import AwayError, RefusedError
from polylens.tracking.finished import KnownRun, finished_run
from polylens.tracking.kept import RunIdentity
from polylens.tracking.names import cut, file_name, text
from polylens.tracking.run import DIGEST_TAG, ERROR_TAG, PARENT_TAG, TrackedRun
from polylens.tracking.views import RESULTS_ADDRESS, address_of, page_of_results, views_of
from polylens.wording import count_of

_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow that these are runs with metrics, and not traces of language models."""
_NOTE = "mlflow.note.content"


class Tracker:
    """The one writer to MLflow in a process."""

    def __init__(self, settings: Settings, *, progress: Progress | None = None) -> None:
        self.settings = settings
        delivery = Discard if settings.is_scratch else Delivery
        self._delivery = delivery(settings, progress=progress or Silent())
        self._experiments: dict[str, str] = {}

    @property
    def is_away(self) -> bool:
        """Whether the server has stopped answering, so that everything is kept."""
        return self._delivery.is_away

    @property
    def trouble(self) -> str:
        """Why something was last kept instead of sent; empty where nothing was."""
        return self._delivery.trouble

    def prepare(self, experiment: str) -> None:
        """Makes sure that database and experiment exist, before anything is computed.

        A server that does not answer is noted and not an error: what would be logged is kept.

        Raises:
            TrackingError: the address is there and cannot be used; says why and what to do.
        """
        if not self._delivery.is_sending:
            return
        try:
            with translate_errors(), self._delivery.alone():
                self._experiment_id(self._experiment_name(experiment))
        except AwayError as error:
            self._delivery.go_away(error)

    def describe(self, experiment: str, *, about: str, spec: str, metrics: Sequence[str]) -> None:
        """Gives an experiment its description, where it has none, and views of its runs with their results.

        What the server does not take now is left to the next run: no result hangs on it.

        Args:
            experiment: name without the prefix of the settings.
            about: Markdown for the top of its page; `RESULTS_ADDRESS` in it becomes the view of all runs.
            spec: name of the spec that is run.
            metrics: names of the metrics that answer its question, for the columns.
        """
        if not self._delivery.is_sending:
            return
        with contextlib.suppress(TrackingError), translate_errors(), self._delivery.alone():
            client, number = self._delivery.client, self._experiment_id(self._experiment_name(experiment))
            before = client.get_experiment(number).tags
            tags = views_of(spec, metrics, before=before)
            if not before.get(_NOTE):
                address = f"#/experiments/{number}/{page_of_results()}"
                tags[_NOTE] = text(about.replace(RESULTS_ADDRESS, address))
            for key, value in tags.items():
                client.set_experiment_tag(number, key, value)

    def prepare_database(self) -> None:
        """Makes sure that the database exists and can be used; raises as `prepare` does."""
        with translate_errors(), self._delivery.alone():
            _ = self._delivery.client

    def experiments(self, *, most: int = 10) -> dict[str, str]:
        """The experiments by name, each with the last part of the address of its runs; the latest first."""
        with translate_errors():
            entries = self._delivery.client.search_experiments(
                max_results=most, order_by=["creation_time DESC"]
            )
            return {entry.name: address_of(entry) for entry in entries if entry.name != "Default"}

    def has_finished(self, experiment: str, digest: str) -> bool:
        """Whether a SQLite file has the finished run of a digest that lies under no other run.

        False where MLflow itself must be asked.
        """
        return self._finished_run(self._experiment_name(experiment), digest, parent=None) is not None

    def open_run(
        self,
        *,
        experiment: str,
        name: str,
        digest: str,
        parent: TrackedRun | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> TrackedRun:
        """The run of this digest: the one an earlier process opened under the same parent, or a new one.

        Args:
            experiment: name without the prefix of the settings.
            name: what people see in lists.
            digest: the spec's digest; decides whether it is the same run.
            parent: the run this one lies under.
            tags: further tags, such as `mlflow.note.content` for the text at the top of the run's page.
        """
        identity = RunIdentity.now(
            address=self.settings.tracking_shown,
            experiment=self._experiment_name(experiment),
            name=cut(text(name), longest=250, rest="...") or digest,
            digest=digest,
            parent=None if parent is None else parent.identity,
            tags={key: text(value) for key, value in (tags or {}).items()},
        )
        run = self._find_finished(identity)
        if run is None and self._delivery.is_sending:
            try:
                with translate_errors(), self._delivery.alone():
                    run = self._find_or_create(identity)
            except AwayError as error:
                self._delivery.go_away(error)
            except RefusedError as error:
                self._delivery.trouble = f"MLflow refused to open run '{name}': {error.message}"
                self._delivery.progress.note(
                    f"MLflow refused to open run '{name}': {error}; what it logs is kept"
                )
        return TrackedRun(identity, delivery=self._delivery, logged=run)

    def reopen_run(self, *, run_id: str, experiment: str, name: str, digest: str) -> TrackedRun:
        """A run that MLflow has under a known id, to log more to it, whether or not MLflow answers now.

        Args:
            run_id: MLflow's id.
            experiment: its full name, with the prefix of the settings.
            name, digest: as it was opened.
        """
        address = self.settings.tracking_shown
        identity = RunIdentity.now(address=address, experiment=experiment, name=name, digest=digest)
        self._delivery.run_ids[identity.key] = run_id
        return TrackedRun(identity, delivery=self._delivery)

    def send_kept(self) -> int:
        """Sends what earlier runs could not send, and returns how many runs were brought up to date."""
        if self.settings.is_scratch:
            return 0
        kept = self._delivery.kept
        waiting = kept.waiting_runs()
        ours = [identity for identity in waiting if identity.address == self.settings.tracking_shown]
        elsewhere = sorted({identity.address for identity in waiting} - {self.settings.tracking_shown})
        if elsewhere:
            count = len(waiting) - len(ours)
            self._delivery.progress.note(
                f"{count_of(count, 'run')} kept in {kept.root} for {', '.join(elsewhere)}"
            )
        sent = 0
        self._delivery.reset()
        for identity in ours:
            try:
                sent += self._send(identity)
            except AwayError as error:
                self._delivery.go_away(error)
                break
            except RefusedError as error:
                self._delivery.trouble = f"MLflow refused what was kept: {error.message}"
                self._delivery.progress.note(
                    f"MLflow refused what was kept of run '{identity.name}': {error}; it stays in "
                    f"{kept.root / identity.key}"
                )
        if sent:
            self._delivery.progress.note(
                f"sent what was kept of {count_of(sent, 'run')} to {self.settings.tracking_shown}"
            )
        return sent

    def _send(self, identity: RunIdentity) -> bool:
        with self._delivery.kept.take(identity) as operations, translate_errors(), self._delivery.alone():
            if operations is None:
                return False
            rest_of = self._delivery.kept.rest_of(identity)
            if rest_of is not None and not self._is_there(rest_of):
                # Sent to a new run, the rest would pass for the whole.
                self._delivery.progress.note(
                    f"run '{identity.name}' was deleted in MLflow before all of it was sent, so its rest is "
                    "dropped; the command that made it writes it anew"
                )
                return False
            run_id = rest_of or self._find_or_create(identity).run_id
            for operation in operations:
                for note in operation.send(self._delivery.client, run_id):
                    self._delivery.progress.note(note)
        return True

    def _is_there(self, run_id: str) -> bool:
        """Whether MLflow has the run and did not mark it as deleted."""
        from mlflow.exceptions import MlflowException

        try:
            run = self._delivery.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        return bool(run.info.lifecycle_stage == "active")

    def _finished_run(self, experiment: str, digest: str, *, parent: str | None) -> KnownRun | None:
        if self._delivery.database is None:
            return None
        return finished_run(
            self._delivery.database,
            experiment=experiment,
            tag=(DIGEST_TAG, digest),
            parent=(PARENT_TAG, parent),
        )

    def _find_finished(self, identity: RunIdentity) -> KnownRun | None:
        """The finished run of this identity, where that can be known without MLflow."""
        parent = None if identity.parent is None else self._delivery.run_ids.get(identity.parent.key)
        if identity.parent is not None and parent is None:
            return None
        run = self._finished_run(identity.experiment, identity.digest, parent=parent)
        return None if run is None else self._know(identity, run)

    def _know(self, identity: RunIdentity, run: KnownRun) -> KnownRun:
        self._delivery.run_ids[identity.key] = run.run_id
        self._delivery.experiment_ids[identity.key] = run.experiment_id
        return run

    def _find_or_create(self, identity: RunIdentity) -> KnownRun:
        client = self._delivery.client
        experiment_id = self._experiment_id(identity.experiment)
        parent_id = None if identity.parent is None else self._run_id(identity.parent)
        matching = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{DIGEST_TAG}` = '{identity.digest}'",
            order_by=["attributes.start_time ASC"],
        )
        run = next((run for run in matching if run.data.tags.get(PARENT_TAG) == parent_id), None)
        if run is None:
            tags = {**identity.tags, DIGEST_TAG: identity.digest}
            if parent_id is not None:
                tags[PARENT_TAG] = parent_id
            run = client.create_run(
                experiment_id, start_time=identity.start_time, run_name=identity.name, tags=tags
            )
        elif run.info.status in ("FAILED", "KILLED"):
            client.update_run(run.info.run_id, status="RUNNING")
            if ERROR_TAG in run.data.tags:
                client.delete_tag(run.info.run_id, ERROR_TAG)
        return self._know(identity, KnownRun.from_mlflow(run))

    def _run_id(self, identity: RunIdentity) -> str:
        known = self._delivery.run_ids.get(identity.key)
        return known or self._find_or_create(identity).run_id

    def _experiment_id(self, name: str) -> str:
        if name not in self._experiments:
            client = self._delivery.client
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                self._experiments[name] = str(
                    client.create_experiment(
                        name, artifact_location=self._location(name), tags=_EXPERIMENT_TAGS
                    )
                )
            elif experiment.lifecycle_stage != "active":
                raise RefusedError(
                    f"the MLflow experiment '{name}' was deleted",
                    hint=f"`mlflow experiments restore -x {experiment.experiment_id}` brings it back, "
                    "`mlflow gc` removes it for good",
                )
            else:
                self._experiments[name] = str(experiment.experiment_id)
        return self._experiments[name]

    def _experiment_name(self, experiment: str) -> str:
        return cut(text(self.settings.experiment_prefix + experiment), longest=500, rest="...")

    def _location(self, experiment: str) -> str | None:
        """Where a new experiment's artifacts go; None lets a server decide."""
        if self.settings.tracking_is_server:
            return None
        root = self.settings.artifact_root
        folder = file_name(experiment)
        return f"{root.rstrip('/')}/{folder}" if "://" in root else (Path(root) / folder).as_uri()
