"""Saved views of MLflow's page: which columns an experiment's table of runs opens with.

MLflow keeps no columns of its own with an experiment, and its page opens on the source, models and data sets
of runs. What its page reads is a view that somebody saved: a tag of the experiment, named in an address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from polylens.tracking.names import file_name, key_name

VIEW_TAG = "mlflow.sharedViewState."
RESULTS = "polylens"
"""The key of the view of all runs of an experiment."""
MODEL_TAG, LAYER_TAG, VERDICT_TAG = "polylens.model", "polylens.layer", "polylens.verdict"
SPEC_TAG, ANSWER_TAG = "polylens.spec", "polylens.answer"
RESULTS_ADDRESS = "RESULTS-ADDRESS"
"""Stands in a description where the address of the view of all runs belongs."""
_WIDTHS = {MODEL_TAG: 110, LAYER_TAG: 100, VERDICT_TAG: 120}
"""Pixels of columns, so that the first numbers are seen without scrolling."""
_METRIC_WIDTH, _ANSWER_WIDTH = 110, 360
_MOST_METRICS = 8
_LONGEST = 5000
"""Characters of an experiment's tag that every store keeps."""


PAGE_OF_RUNS = "?workflowType=machine_learning"
"""Opens MLflow's page with runs; it takes its visitors for makers of language-model agents unless told."""


def page_of_results(key: str = RESULTS) -> str:
    """What the address of an experiment ends in that shows the results of its runs as columns.

    >>> page_of_results()
    'runs?workflowType=machine_learning&viewStateShareKey=polylens'
    """
    return f"runs{PAGE_OF_RUNS}&viewStateShareKey={key}"


def address_of(experiment: Any) -> str:
    """Where MLflow's page shows an experiment's runs, with their results where a view of them was saved."""
    page = page_of_results() if VIEW_TAG + RESULTS in experiment.tags else PAGE_OF_RUNS
    return f"#/experiments/{experiment.experiment_id}{'' if page.startswith('?') else '/'}{page}"


@dataclass(frozen=True)
class View:
    """One view that people can open from a link, or choose from the page's list of views."""

    key: str
    """Its part of the address."""
    name: str
    metrics: tuple[str, ...]
    """Metrics that are columns, the first ones first."""
    spec: str = ""
    """Shows the runs of this spec alone; empty shows all."""
    answer_first: bool = False
    """Whether the answer in words stands before the numbers, as where most runs lack most of these."""

    def tag(self, *, before: str | None) -> str:
        """The tag's text; `before` itself where it says the same, so that the date it bears stays true."""
        state = json.dumps(self._state(), separators=(",", ":"))
        known = _envelope(before)
        if before is not None and known.get("state") == state and known.get("name") == self.name:
            return before
        now = time.time_ns() // 1_000_000
        envelope = {"name": self.name, "createdAt": known.get("createdAt", now), "updatedAt": now}
        written = json.dumps({**envelope, "state": state}, separators=(",", ":"))
        if len(written) <= _LONGEST or not self.metrics:
            return written
        return replace(self, metrics=self.metrics[:-1]).tag(before=before)

    def _state(self) -> dict[str, Any]:
        numbers = {_column("metrics", name): _METRIC_WIDTH for name in self.metrics}
        answer = {_column("tags", ANSWER_TAG): _ANSWER_WIDTH}
        widths = {_column("tags", tag): width for tag, width in _WIDTHS.items()}
        widths |= answer | numbers if self.answer_first else numbers | answer
        return {
            "searchFilter": f"tags.`{SPEC_TAG}` = {_quoted(self.spec)}" if self.spec else "",
            "selectedColumns": list(widths),
            "columnOrder": list(widths),
            "columnWidths": widths,
        }


def views_of(
    spec: str, metrics: Sequence[str], *, before: Mapping[str, str], title: str = "All results"
) -> dict[str, str]:
    """The tags of an experiment's views after a spec is run: one of all runs, and one of this spec's.

    Args:
        spec: the spec's name.
        metrics: names of its answering metrics.
        before: the experiment's tags as they are; what other specs have put into the view of all runs stays.
        title: the name of the view of all runs.
    """
    own = f"{RESULTS}-{file_name(spec)}"
    names = [key_name(name) for name in metrics]
    shared = before.get(VIEW_TAG + RESULTS)
    together = tuple(dict.fromkeys([*_metrics_in(shared), *names]))[:_MOST_METRICS]
    others = [key for key in before if key.startswith(f"{VIEW_TAG}{RESULTS}-") and key != VIEW_TAG + own]
    views = (
        View(RESULTS, title, together, answer_first=bool(others)),
        View(own, spec, tuple(names[:_MOST_METRICS]), spec=spec),
    )
    tags = {VIEW_TAG + view.key: view.tag(before=before.get(VIEW_TAG + view.key)) for view in views}
    return {key: value for key, value in tags.items() if value != before.get(key)}


def _metrics_in(tag: str | None) -> Iterable[str]:
    """Metrics that are columns of a view; nothing where somebody else wrote the tag."""
    try:
        columns = json.loads(_envelope(tag).get("state", "{}")).get("selectedColumns", [])
    except (ValueError, TypeError, AttributeError):
        return []
    prefix = "metrics.`"
    return [column[len(prefix) : -1] for column in columns if str(column).startswith(prefix)]


def _envelope(tag: str | None) -> dict[str, Any]:
    try:
        envelope = json.loads(tag or "{}")
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _column(family: str, name: str) -> str:
    return f"{family}.`{name}`"


def _quoted(text: str) -> str:
    """A text in MLflow's filters, which know no escapes."""
    return f'"{text}"' if "'" in text else f"'{text}'"
