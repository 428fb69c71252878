"""What is logged to one run: values that can be sent now, kept on disk, and sent again without doubling."""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

_BATCH_BYTES = 400_000
"""Size of one request; servers refuse requests above a megabyte."""
_BATCH_ENTRIES = {"metrics": 1000, "params": 100, "tags": 100}


class Operation(ABC):
    """Something to log. Sending it twice leaves the run as sending it once does."""

    kind: ClassVar[str]

    @abstractmethod
    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Logs it, and returns sentences the user should see."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data from which `operation_from_plain` makes the same operation again."""
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True)
class Tags(Operation):
    """Tags to set; a tag that exists is replaced."""

    kind: ClassVar[str] = "tags"
    tags: Mapping[str, str]

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Sets the tags."""
        from mlflow.entities import RunTag

        for batch in _batches(self.tags, most=_BATCH_ENTRIES["tags"]):
            client.log_batch(run_id, tags=[RunTag(key, value) for key, value in batch])
        return ()


@dataclass(frozen=True)
class Params(Operation):
    """Params to log; one that exists stays as it is, for MLflow's params cannot be changed."""

    kind: ClassVar[str] = "params"
    params: Mapping[str, str]

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Logs the params that are missing and names those that differ."""
        from mlflow.entities import Param

        there = client.get_run(run_id).data.params
        missing = {key: value for key, value in self.params.items() if key not in there}
        for batch in _batches(missing, most=_BATCH_ENTRIES["params"]):
            client.log_batch(run_id, params=[Param(key, value) for key, value in batch])
        changed = sorted(key for key, value in self.params.items() if there.get(key, value) != value)
        if not changed:
            return ()
        return (f"run {run_id} keeps its earlier params {', '.join(changed)}; MLflow cannot change them",)


@dataclass(frozen=True)
class Metrics(Operation):
    """Metrics to log: each has one point in its run, so one that exists is left alone."""

    kind: ClassVar[str] = "metrics"
    metrics: Mapping[str, float]

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Logs the metrics that are missing."""
        from mlflow.entities import Metric

        run = client.get_run(run_id)
        missing = {key: value for key, value in self.metrics.items() if key not in run.data.metrics}
        for batch in _batches(missing, most=_BATCH_ENTRIES["metrics"]):
            # A point is the same point again where its time is the same, so a request that is repeated
            # because its answer came too late doubles nothing.
            when = run.info.start_time
            client.log_batch(run_id, metrics=[Metric(key, value, when, 0) for key, value in batch])
        return ()


@dataclass(frozen=True)
class Curve(Operation):
    """One metric over steps; one that exists is left alone."""

    kind: ClassVar[str] = "curve"
    key: str
    points: Sequence[Sequence[float]]
    """Step and value of each point."""

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Logs the points, where the run has none of them."""
        from mlflow.entities import Metric

        run = client.get_run(run_id)
        if self.key in run.data.metrics:
            return ()
        when = run.info.start_time  # the same point again, where a request is repeated: see `Metrics`
        metrics = [Metric(self.key, value, when, int(step)) for step, value in self.points]
        for start in range(0, len(metrics), _BATCH_ENTRIES["metrics"]):
            client.log_batch(run_id, metrics=metrics[start : start + _BATCH_ENTRIES["metrics"]])
        return ()


@dataclass(frozen=True)
class Point(Operation):
    """One more point of some metrics, at a step of its own; one that exists is left alone."""

    kind: ClassVar[str] = "point"
    values: Mapping[str, float]
    step: int

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Logs the points of this step that are missing."""
        from mlflow.entities import Metric

        run = client.get_run(run_id)
        missing = {
            key: value
            for key, value in self.values.items()
            if key not in run.data.metrics
            or all(point.step != self.step for point in client.get_metric_history(run_id, key))
        }
        # The same point again, where a request is repeated: see `Metrics`.
        when = run.info.start_time
        for batch in _batches(missing, most=_BATCH_ENTRIES["metrics"]):
            client.log_batch(run_id, metrics=[Metric(key, value, when, self.step) for key, value in batch])
        return ()


@dataclass(frozen=True)
class Inputs(Operation):
    """Datasets or weights that went into the run."""

    kind: ClassVar[str] = "inputs"
    context: str
    """`data` or `weights`."""
    entries: Sequence[Mapping[str, Any]]
    """Name, digest, source and profile of each."""

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Logs the inputs; MLflow itself keeps each once."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        datasets = [
            DatasetInput(
                Dataset(
                    name=entry["name"],
                    digest=entry["digest"],
                    source_type="polylens",
                    source=json.dumps(entry["source"]),
                    profile=json.dumps(entry["profile"]),
                ),
                tags=[InputTag("mlflow.data.context", self.context)],
            )
            for entry in self.entries
        ]
        client.log_inputs(run_id, datasets=datasets)
        return ()


@dataclass(frozen=True)
class Artifact(Operation):
    """A file; one of the same path is replaced."""

    kind: ClassVar[str] = "artifact"
    path: str
    content: bytes

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Uploads the file."""
        target = PurePosixPath(self.path)
        with tempfile.TemporaryDirectory(prefix="polylens-") as folder:
            file = Path(folder) / target.name
            file.write_bytes(self.content)
            client.log_artifact(
                run_id, str(file), None if target.parent == PurePosixPath() else str(target.parent)
            )
        return ()


@dataclass(frozen=True)
class Finish(Operation):
    """The run's end."""

    kind: ClassVar[str] = "finish"
    status: str
    end_time: int
    """Milliseconds since 1970."""

    def send(self, client: Any, run_id: str) -> tuple[str, ...]:
        """Sets the run's status and end."""
        client.set_terminated(run_id, status=self.status, end_time=self.end_time)
        return ()


_KINDS: dict[str, type[Operation]] = {
    kind.kind: kind for kind in (Tags, Params, Metrics, Curve, Point, Inputs, Artifact, Finish)
}


def operation_from_plain(plain: Mapping[str, Any]) -> Operation:
    """The operation that `to_plain` wrote."""
    return _KINDS[plain["kind"]](**{key: value for key, value in plain.items() if key != "kind"})


def _batches(entries: Mapping[str, Any], *, most: int) -> Iterator[list[tuple[str, Any]]]:
    """The entries in batches that every server takes."""
    batch: list[tuple[str, Any]] = []
    size = 0
    for key, value in entries.items():
        weight = len(json.dumps([key, value])) + 100
        if batch and (len(batch) == most or size + weight > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((key, value))
        size += weight
    if batch:
        yield batch
