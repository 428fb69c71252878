"""One run in MLflow, as a study sees it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from polylens.records import Figure, Number
from polylens.tracking.delivery import Delivery
from polylens.tracking.finished import KnownRun
from polylens.tracking.inputs import Input
from polylens.tracking.kept import RunIdentity
from polylens.tracking.names import cut, file_name, key_name, text
from polylens.tracking.operations import (
    Artifact,
    Curve,
    Finish,
    Inputs,
    Metrics,
    Operation,
    Params,
    Point,
    Tags,
)
from polylens.tracking.params import WHOLE, flatten, shorten
from polylens.tracking.provenance import tags_of
from polylens.tracking.summary import children_table, numbers_table
from polylens.tracking.tables import parquet, preview
from polylens.tracking.views import PAGE_OF_RUNS

if TYPE_CHECKING:
    import pandas as pd

DIGEST_TAG = "polylens.spec_digest"
PARENT_TAG = "mlflow.parentRunId"
ERROR_TAG = "polylens.error"
"""Why a run failed; removed when the run is taken up again."""
LOOKS_TAG = "polylens.looks"
"""What its figures and its page are of; replaced when they are made anew."""
PROVENANCE = "provenance/provenance.json"
"""The artifact that says what a run's numbers came from; its `stages` are digests by name."""
REPORT = "report.html"
"""The artifact that is the run's page."""
_LONGEST_TAG = 5000


class TrackedRun:
    """A run that can be logged to. Logging the same again changes nothing; an absent server is no error."""

    def __init__(self, identity: RunIdentity, *, delivery: Delivery, logged: KnownRun | None = None) -> None:
        self.identity = identity
        self.finished: bool = delivery.kept.has_finished(identity)
        """Whether an earlier process completed this run, so that nothing needs to be logged."""
        self.status = "RUNNING"
        self.params: dict[str, str] = {}
        """Params logged so far, by this process or an earlier one."""
        self.metrics: dict[str, float] = {}
        """Metrics logged so far, by this process or an earlier one."""
        self.tags: dict[str, str] = {}
        """Tags set so far, by this process or an earlier one."""
        self._numbers: dict[str, Number] = {}
        self._captions: dict[str, str] = {}
        self._delivery = delivery
        if logged is not None:
            self.finished = self.finished or logged.status == "FINISHED"
            self.params |= logged.params
            self.metrics |= logged.metrics
            self.tags |= logged.tags
        if self.finished:
            self.status = "FINISHED"

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run; None while the server has not been reached."""
        return self._delivery.run_ids.get(self.identity.key)

    @property
    def looks(self) -> str | None:
        """Digest of the looks of the figures and the page that MLflow has; None where it does not say."""
        return self.tags.get(LOOKS_TAG)

    @property
    def is_in_mlflow(self) -> bool:
        """Whether MLflow has all that was logged to this run; False while anything of it is kept."""
        return self._delivery.has_all(self.identity)

    @property
    def name(self) -> str:
        """What people see in lists."""
        return self.identity.name

    @property
    def url(self) -> str | None:
        """The run's page on an MLflow server; None where `polylens ui` shows it or the server is away."""
        address = self._delivery.settings.tracking_shown
        if self.run_id is None or not address.startswith("http"):
            return None
        experiment = self._delivery.experiment_ids[self.identity.key]
        return f"{address.rstrip('/')}/#/experiments/{experiment}/runs/{self.run_id}{PAGE_OF_RUNS}"

    def log_spec(self, *, written: str, resolved: str) -> None:
        """Logs the spec as its author wrote it and as it was resolved, both YAML texts."""
        self.log_artifact("spec/written.yaml", text(written).encode())
        self.log_artifact("spec/resolved.yaml", text(resolved).encode())

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Logs the scientific fields, nested maps as dotted keys; long values are kept whole in a file."""
        flat = flatten(params)
        short = shorten(flat)
        if list(short.values()) != list(flat.values()):
            whole = {text(key): text(value) for key, value in flat.items()}
            self.log_artifact(WHOLE, json.dumps(whole, indent=2, ensure_ascii=False).encode())
        self._send(Params(short))
        self.params = {**short, **self.params}

    def log_numbers(
        self, numbers: Mapping[str, Number], *, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Logs numbers to the table of numbers, and some of them as metrics too.

        Args:
            numbers: by full name, such as `quality/purity` or `quality/purity.random_init`.
            metrics: the values that people sort and search runs by, all of `numbers` if not given; those not
                finite are named in a tag.
        """
        if metrics is None:
            metrics = {name: number.value for name, number in numbers.items()}
        finite = {key_name(name): float(value) for name, value in metrics.items() if math.isfinite(value)}
        left_out = [
            f"{name} is {float(value)}" for name, value in metrics.items() if not math.isfinite(value)
        ]
        self._numbers |= numbers
        self._send(Metrics(finite))
        self.metrics = {**finite, **self.metrics}
        if left_out:
            self.set_tags({"polylens.not_finite": "; ".join(left_out)})
            self._delivery.progress.note(f"not logged as metrics of '{self.name}': {'; '.join(left_out)}")

    def log_curve(self, name: str, points: Mapping[int, float]) -> None:
        """Logs values over steps (epochs, sizes of clusters) as one metric, which MLflow draws as a line.

        Args:
            name: of the metric, such as `training/loss`.
            points: value by step; those not finite are left out.
        """
        finite = {step: float(value) for step, value in points.items() if math.isfinite(value)}
        self._send(Curve(key=key_name(name), points=[[step, value] for step, value in finite.items()]))

    def log_point(self, values: Mapping[str, float], *, step: int) -> None:
        """Logs one more point of metrics, beside those of earlier steps; those not finite are left out."""
        finite = {key_name(name): float(value) for name, value in values.items() if math.isfinite(value)}
        self._send(Point(values=finite, step=step))

    def log_inputs(self, *, datasets: Sequence[Input] = (), weights: Sequence[Input] = ()) -> None:
        """Logs which datasets and weights went into the run, with their digests."""
        for context, inputs in (("data", datasets), ("weights", weights)):
            entries = [
                {**asdict(entry), "name": text(entry.name)[:500] or context, "digest": entry.digest[:36]}
                for entry in inputs
            ]
            if entries:
                self._send(Inputs(context=context, entries=entries))

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Logs a table: whole as Parquet, and its first rows as CSV, which MLflow's page can show."""
        limits = self._delivery.settings.limits
        path = f"tables/{file_name(name)}"
        self.log_artifact(f"{path}.parquet", parquet(table))
        rows, n_rows = preview(table, rows=limits.preview_rows, n_bytes=limits.preview_bytes)
        ending = ".csv" if n_rows == len(table) else f".first-{n_rows}-rows.csv"
        self.log_artifact(path + ending, rows)

    def log_figure(self, figure: Figure) -> None:
        """Logs a figure as PNG; its title and caption go to `figures/captions.md`."""
        path = f"{file_name(figure.name)}.png"
        self.log_artifact(f"figures/{path}", figure.png)
        self._captions[path] = f"## {figure.title}\n\n`{path}`: {figure.caption}\n"

    def log_captions(self) -> None:
        """Logs titles and captions of the figures logged so far."""
        if self._captions:
            self.log_artifact("figures/captions.md", text("\n".join(self._captions.values())).encode())

    def log_report(self, html: str) -> None:
        """Logs the run's page."""
        content = text(html).encode()
        self.log_artifact(REPORT, content)
        if len(content) > self._delivery.settings.limits.report_bytes:
            size = len(content) / 1e6
            self._delivery.progress.note(
                f"report.html of '{self.name}' has {size:.0f} MB: MLflow's page only offers its download"
            )

    def log_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Logs what the numbers came from, as a file and as tags. Takes what `Provenance.to_plain` gives."""
        self.log_artifact(PROVENANCE, json.dumps(provenance, indent=2, default=str).encode())
        self.set_tags(tags_of(provenance))

    def log_children(self, children: Sequence[TrackedRun]) -> None:
        """Logs a table of the runs under this one: what differs between them, and their metrics."""
        self.log_table("children", children_table(children))

    def log_artifact(self, path: str, content: bytes) -> None:
        """Logs a file at this path among the run's artifacts."""
        self._send(Artifact(path=path, content=content))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags; a tag that exists is replaced."""
        short = {
            key_name(key): cut(text(value), longest=_LONGEST_TAG, rest=" ...") for key, value in tags.items()
        }
        self._send(Tags(short))
        self.tags |= short

    def finish(self, status: str = "FINISHED") -> None:
        """Ends the run: `FINISHED`, `FAILED` or `KILLED`, after a table of all numbers and the captions."""
        if self._numbers:
            self.log_table("numbers", numbers_table(self._numbers))
        self.log_captions()
        self._send(Finish(status=status, end_time=time.time_ns() // 1_000_000))
        self.status = status
        self.finished = status == "FINISHED"

    def _send(self, operation: Operation) -> None:
        self._delivery.deliver(self.identity, operation)
